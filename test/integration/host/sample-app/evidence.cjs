const { appendFileSync, existsSync } = require('node:fs');
const { setTimeout: pause } = require('node:timers/promises');

/** Appends one line to the file that tests read: it outlives a killed host. */
exports.note = (line) => appendFileSync(process.env.EVIDENCE, `${line}\n`);

/** Resolves once the test has created the file: an activity that runs exactly as long as the test wants. */
exports.until = async (file) => {
  while (!existsSync(file)) await pause(5);
};
