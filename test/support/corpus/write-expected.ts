import { writeFile } from 'node:fs/promises';
import { BulkConverter } from '../bulk-converter.ts';
import { requireTestModels } from '../test-models.ts';
import { type ExpectedOutcomes, expectedFile, NO_FORMAT, readExpected } from './expected.ts';
import { listTestModels, observe } from './observe.ts';

/**
 * Writes down what comes of every model of the package now. What converts is taken as it is, for people to look at what has changed; a model
 * that fails is taken only where somebody has judged that it may: its entry, with `judged`, is written by hand.
 */
requireTestModels();
const before = await readExpected().catch((): ExpectedOutcomes => ({}));
const after: ExpectedOutcomes = {};
let unjudged = 0;
await using converter = await BulkConverter.start(60);
for (const path of await listTestModels()) {
  const seen = await observe(converter, path);
  const known = before[path];
  if (!('fails' in seen)) {
    if (known !== undefined && 'fails' in known)
      process.stdout.write(`${path} converts now; it failed: ${known.cause}\n`);
    after[path] = seen;
  } else if (
    known !== undefined &&
    'fails' in known &&
    known.fails === seen.fails &&
    seen.message.includes(known.cause)
  ) {
    after[path] = known;
  } else if (known !== undefined || !NO_FORMAT.test(seen.message)) {
    unjudged += 1;
    process.stdout.write(`${path} is not judged: ${seen.fails}: ${seen.message}\n`);
    if (known !== undefined) after[path] = known;
  }
}
await writeFile(expectedFile, `${JSON.stringify(after, null, 2)}\n`);
process.exitCode = unjudged === 0 ? 0 : 1;
