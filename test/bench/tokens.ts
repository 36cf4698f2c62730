import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { z } from 'zod';
import { build } from '../../infra/build.ts';
import { APP_AUDIENCE } from '../../infra/local/app-settings.ts';
import { readArguments, UsageError } from '../../infra/local/arguments.ts';
import { startChild } from '../../infra/local/child-process.ts';
import { signDevelopmentToken } from '../../infra/local/identity/index.ts';
import { startStack } from '../../infra/local/supervisor.ts';
import { temporaryDirectory } from '../support/stack.ts';

const help = `
npm run bench:tokens: how fast POST /api/tokens/sts is beside a function that says hello, on the same embedded host and the same machine,
and what sharing the token of an STS elsewhere (50 ms an answer) saves over asking it for each request: judged for one caller at a time, and
shown for all at once, where the host itself is what limits both. Only answers with 200 count; rate
limits are raised by setting. Exits with 1 where a request was answered otherwise, or a target is missed.

Usage: npm run bench:tokens -- [--seconds 10] [--callers 200]
`;

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const ACCOUNT = { id: '0d6f8a52-1c9b-4e2f-8a7d-3b5c6d7e8f90', domain: 'elsewhere.example' };
const STS_MILLISECONDS = 50;

interface Figure {
  readonly name: string;
  /** Answers with 200 a second. */
  readonly rate: number;
  /** 99th percentile, in milliseconds. */
  readonly p99: number;
  /** Answers other than 200, and requests without one. */
  readonly others: number;
}

interface Load {
  readonly url: string;
  readonly connections: number;
  /** One a caller; each connection is one caller's. */
  readonly tokens?: readonly string[];
}

const { seconds, callers } = readSettings();
await using directory = await temporaryDirectory();
await build();
const apps = { name: 'Functions host', program: here('../../infra/local/host/main.ts'), startMilliseconds: 20_000 };
const sts = await startChild({
  name: 'STS',
  program: here('./slow-sts.ts'),
  options: { milliseconds: STS_MILLISECONDS },
  startMilliseconds: 20_000,
});
const stsUrl = sts.endpoints['sts'] ?? '';
let missed: readonly string[];
try {
  const [hello] = await withApps('/hello', 'hello world', [callers]);
  const [own] = await withStack('own', {}, 'our own account', [callers]);
  const [exchangedAlone, exchanged] = await withApps('/exchange', 'elsewhere, exchanged', [1, callers]);
  const before = await exchanges();
  const [sharedAlone, shared] = await withStack('shared', elsewhere(), 'elsewhere, shared', [1, callers]);
  const upstream = (await exchanges()) - before;
  missed = judge({ hello, own, exchangedAlone, exchanged, sharedAlone, shared, upstream });
} finally {
  await sts.stop(2000);
}
for (const target of missed) process.stdout.write(`MISSED: ${target}\n`);
process.exit(missed.length === 0 ? 0 : 1);

type Seen = Readonly<
  Record<'hello' | 'own' | 'exchangedAlone' | 'exchanged' | 'sharedAlone' | 'shared', Figure | undefined>
> & { readonly upstream: number };

/**
 * What exchanging costs a caller is the wait. Many callers wait side by side, so that for them the host's own limit is what counts: the
 * gain is judged for one caller at a time, and shown for all.
 */
function judge({ upstream, ...figures }: Seen): readonly string[] {
  const rate = (name: keyof typeof figures) => figures[name]?.rate ?? 0;
  const share = rate('own') / rate('hello');
  const gain = rate('sharedAlone') / rate('exchangedAlone');
  const gainOfAll = rate('shared') / rate('exchanged');
  process.stdout.write(
    `\nOf our own account: ${(100 * share).toFixed(0)} % of hello world. Elsewhere, shared instead of exchanged: ${gain.toFixed(1)} times as ` +
      `many for one caller at a time, ${gainOfAll.toFixed(1)} times for ${callers} at once; ${upstream} upstream call${upstream === 1 ? '' : 's'}.\n`,
  );
  const others = Object.values(figures).filter((figure) => figure !== undefined && figure.others > 0);
  return [
    ...others.map((figure) => `${figure?.name}: ${figure?.others} answers other than 200`),
    ...(share >= 0.6 ? [] : ['our own tokens: at least 60 % of hello world']),
    ...(gain >= 20 ? [] : ['a shared token: at least 20 times the exchanged ones']),
    ...(upstream === 1 ? [] : ['a shared token: one upstream call']),
  ];
}

/** One figure for each number of callers. */
async function measureEach(name: string, counts: readonly number[], load: Omit<Load, 'connections'>) {
  const figures: Figure[] = [];
  for (const connections of counts)
    figures.push(await measure(`${name}, ${connections} at once`, { ...load, connections }));
  return figures;
}

async function measure(name: string, { url, connections, tokens = [] }: Load): Promise<Figure> {
  let next = 0;
  const result = await autocannon({
    url,
    method: 'POST',
    connections,
    duration: seconds,
    setupClient(client) {
      const token = tokens[next++ % tokens.length];
      if (token !== undefined) client.setHeaders({ authorization: `Bearer ${token}` });
    },
  });
  const ok = result.statusCodeStats?.['200']?.count ?? 0;
  const others = result.requests.total - ok + result.errors;
  const figure = { name, rate: ok / result.duration, p99: result.latency.p99, others };
  process.stdout.write(
    `${name.padEnd(36)} ${figure.rate.toFixed(0).padStart(7)} a second   p99 ${String(figure.p99).padStart(5)} ms   others ${others}\n`,
  );
  return figure;
}

async function withApps(path: string, name: string, counts: readonly number[]): Promise<readonly Figure[]> {
  const environment = { BENCH_STS: [ACCOUNT.id, ACCOUNT.domain, stsUrl].join(' ') };
  const options = { scriptRoot: here('./token-apps'), port: 0, database: ':memory:', environment };
  const host = await startChild({ ...apps, options });
  try {
    return await measureEach(name, counts, { url: `${host.endpoints['app']}${path}` });
  } finally {
    await host.stop(4000);
  }
}

async function withStack(
  name: string,
  environment: Readonly<Record<string, string>>,
  title: string,
  counts: readonly number[],
): Promise<readonly Figure[]> {
  const own = join(directory.path, name);
  const stack = await startStack({
    directory: own,
    scriptRoot,
    port: 0,
    environment: { TOKEN_REQUESTS_PER_MINUTE: '1000000000', ...environment },
  });
  try {
    const { app, authority, tenantId } = stack.endpoints;
    const common = {
      directory: own,
      authority,
      tenantId,
      audience: APP_AUDIENCE,
      lifetimeSeconds: 3600,
      now: new Date(),
    };
    const tokens = await Promise.all(
      Array.from({ length: callers }, (_, index) =>
        signDevelopmentToken({ ...common, role: 'client', name: `caller-${index}` }),
      ),
    );
    return await measureEach(title, counts, { url: `${app}/api/tokens/sts`, tokens });
  } finally {
    await stack.stop();
  }
}

function elsewhere(): Readonly<Record<string, string>> {
  return {
    MIXEDREALITY_ACCOUNT_ID: ACCOUNT.id,
    MIXEDREALITY_ACCOUNT_DOMAIN: ACCOUNT.domain,
    MIXEDREALITY_AUTHENTICATION_ENDPOINT_URL: stsUrl,
    // The managed identity asks for a token for that STS, which the local identity endpoint gives for known audiences alone.
    ENTRA_AUDIENCES: `${APP_AUDIENCE},${stsUrl}`,
  };
}

async function exchanges(): Promise<number> {
  const response = await fetch(`${stsUrl}/count`);
  return z.object({ count: z.number() }).parse(await response.json()).count;
}

function readSettings(): { readonly seconds: number; readonly callers: number } {
  const options = { seconds: { type: 'string', default: '10' }, callers: { type: 'string', default: '200' } } as const;
  const whole = z.coerce.number().int().min(1).max(1000);
  const given = z
    .object({ seconds: whole, callers: whole })
    .safeParse(readArguments({ help, options }, process.argv.slice(2)));
  if (given.success) return given.data;
  throw new UsageError(`--seconds and --callers take whole numbers from 1 to 1000.\n${help}`);
}
