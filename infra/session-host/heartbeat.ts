import { z } from 'zod';

const assetOrder = z.object({ name: z.string().min(1).max(1024), url: z.url({ protocol: /^https?$/ }) });
const heartbeatAnswer = z.object({
  remainingSeconds: z.number().nullable(),
  stop: z.boolean(),
  asset: assetOrder.nullable(),
  nextSeconds: z.number().positive(),
});

/** The asset that the control plane wants loaded; the URL is readable as it is, and secret. */
export type AssetOrder = Readonly<z.output<typeof assetOrder>>;
export type HeartbeatAnswer = Readonly<z.output<typeof heartbeatAnswer>>;

export interface AssetReport {
  readonly name: string;
  readonly state: 'loading' | 'loaded' | 'failed';
  readonly bytes?: number;
  /** Why it failed; of a loaded asset, why a viewer could not open it. */
  readonly error?: string;
}

export interface Heartbeat {
  readonly state: 'ready';
  readonly hostname: string;
  readonly ports: { readonly inspector: number };
  /** Whether a viewer is open. */
  readonly connected: boolean;
  readonly asset: AssetReport | null;
}

export type HeartbeatOutcome =
  | { readonly type: 'answered'; readonly answer: HeartbeatAnswer }
  /** The control plane does not know this machine, or not any more. */
  | { readonly type: 'unwanted'; readonly status: number }
  | { readonly type: 'unanswered'; readonly problem: string };

/** Posts a heartbeat. Whatever goes wrong is an outcome; nothing is thrown. */
export async function postHeartbeat(
  { url, secret }: { readonly url: string; readonly secret: string },
  heartbeat: Heartbeat,
  signal: AbortSignal,
): Promise<HeartbeatOutcome> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify(heartbeat),
      redirect: 'error',
      signal,
    });
    if ([401, 404, 410].includes(response.status) && isProblem(response)) {
      await response.body?.cancel();
      return { type: 'unwanted', status: response.status };
    }
    if (response.status === 200) return { type: 'answered', answer: heartbeatAnswer.parse(await response.json()) };
    await response.body?.cancel();
    return { type: 'unanswered', problem: `HTTP ${response.status}` };
  } catch (error) {
    return { type: 'unanswered', problem: problemOf(error) };
  }
}

/** Only the app itself answers with a problem: a front door or a host that is still starting says 404 too, and must not end a machine. */
function isProblem(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return 'HTTP 200 with an answer of another form';
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
