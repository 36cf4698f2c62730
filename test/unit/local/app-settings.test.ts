import { expect, test } from 'vitest';
import { parseConfig } from '#lib/config';
import { appSettings } from '../../../infra/local/app-settings.ts';

const options = {
  directory: '/app/.local',
  scriptRoot: '/app',
  ports: { app: 7071, blob: 1, queue: 2, table: 3 },
  storage: { blob: 'http://127.0.0.1:1/a', queue: 'http://127.0.0.1:2/a', table: 'http://127.0.0.1:3/a' },
};

test('The app accepts the settings of the local stack', () => {
  expect(parseConfig(appSettings({ ...options, caller: {} }))).toMatchObject({
    UPLOAD_POLICY: 'convert-and-start',
    controlPlaneUrl: 'http://127.0.0.1:7071',
    LOCAL_MACHINES_DIRECTORY: '/app/.local/machines',
    SESSION_HOST_PROGRAM: '/app/dist/session-host/main.mjs',
  });
});

test("The caller's environment overrides them, but for the storage account and where it is empty", () => {
  const caller = { UPLOAD_POLICY: 'convert', MODELS_CONTAINER: '', AzureWebJobsStorage: 'AccountName=production' };
  const settings = appSettings({ ...options, caller });
  expect(settings).toMatchObject({ UPLOAD_POLICY: 'convert', MODELS_CONTAINER: 'models' });
  expect(settings.AzureWebJobsStorage).toContain('BlobEndpoint=http://127.0.0.1:1/a;');
});
