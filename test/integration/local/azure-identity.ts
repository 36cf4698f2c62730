import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const program = fileURLToPath(new URL('./azure-identity.mjs', import.meta.url));

const outcome = z.union([
  z.object({
    token: z.string(),
    expiresOnTimestamp: z.number(),
    /** Whether a second call was answered from what the client keeps. */
    kept: z.boolean(),
    claims: z.record(z.string(), z.unknown()).optional(),
  }),
  z.object({ error: z.object({ name: z.string(), message: z.string() }) }),
]);

export interface AzureIdentityJob {
  readonly scope: string;
  /** The options of the credential that it names. */
  readonly credential: 'managed-identity' | 'client-secret';
  readonly identity?: Readonly<Record<string, string>>;
  readonly authorityHost?: string;
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Has the token verified with the keys of this authority. */
  readonly verify?: { readonly authority: string; readonly tenantId: string; readonly audience: string };
}

/** Asks for a token with the real @azure/identity, in a process of its own with nothing but this environment. */
export async function askForToken(
  job: AzureIdentityJob,
  environment: Readonly<Record<string, string>>,
): Promise<z.output<typeof outcome>> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(job)], { env: environment });
  return outcome.parse(JSON.parse(stdout));
}
