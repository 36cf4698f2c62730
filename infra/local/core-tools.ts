import { constants } from 'node:fs';
import { access, copyFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { StackError } from './stack-error.ts';

/**
 * Sees that Azure Functions Core Tools are there.
 * @param searchPath folders as in PATH
 * @throws StackError `func-missing`, saying what to install
 */
export async function requireFunc(searchPath: string): Promise<void> {
  for (const folder of searchPath.split(delimiter)) {
    try {
      return await access(join(folder, 'func'), constants.X_OK);
    } catch {
      // Not in this folder.
    }
  }
  throw new StackError(
    'func-missing',
    'func was not found on the PATH: install Azure Functions Core Tools 4, for instance with\n' +
      '  npm install --global azure-functions-core-tools@4\n' +
      'or run npm start, which needs nothing but this package.',
  );
}

/** Makes the settings file that Core Tools insist on, from its sample. One that is there is left alone: false then. */
export async function makeLocalSettings(scriptRoot: string): Promise<boolean> {
  const settings = join(scriptRoot, 'local.settings.json');
  try {
    await copyFile(join(scriptRoot, 'local.settings.sample.json'), settings, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
