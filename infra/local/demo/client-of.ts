import { RemoteRenderingClient } from '#lib/client';
import { APP_AUDIENCE } from '../app-settings.ts';
import type { StackEndpoints } from '../endpoints.ts';
import { signDevelopmentToken } from '../identity/index.ts';

const TOKEN_SECONDS = 3600;

/** A client of a stack that runs here, as an Administrator who is signed in on this machine. */
export function clientOf({ app, authority, tenantId }: StackEndpoints, directory: string): RemoteRenderingClient {
  let kept: { readonly token: Promise<string>; readonly renewAt: number } | undefined;
  return new RemoteRenderingClient({
    url: app,
    token: () => {
      const now = new Date();
      if (kept !== undefined && now.getTime() < kept.renewAt) return kept.token;
      const whose = { role: 'administrator', name: 'demo', audience: APP_AUDIENCE } as const;
      const token = signDevelopmentToken({
        directory,
        authority,
        tenantId,
        ...whose,
        lifetimeSeconds: TOKEN_SECONDS,
        now,
      });
      kept = { token, renewAt: now.getTime() + (TOKEN_SECONDS * 1000) / 2 };
      return token;
    },
  });
}
