// Compiles a Move package, lints as errors, and runs its unit tests in the Move VM; with recorded
// scenarios it plays them as well.
//   node run.mjs <package folder> [<folder of recordings> [--long]]
import { keep } from './artifact.mjs';
import { beginnings, recordings, tests } from './conformance.mjs';
import { Pool } from './pool.mjs';
import { snapshot } from './sources.mjs';

/** A scenario of more calls is played with --long alone: one of a thousand takes the VM minutes. */
const MOST_CALLS = 300;
/** So many failed scenarios are looked into. */
const EXPLAINED = 3;

const [folder, recorded, long] = process.argv.slice(2);
/** Longer than all of it takes on a slow and busy machine; a runaway test can't be stopped from inside. */
const LIMIT_MS = (long ? 120 : 20) * 60 * 1000;
const began = performance.now();
const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;
const fail = (text) => {
  console.error(text);
  process.exit(1);
};
setTimeout(() => fail('move: it takes too long, and is ended'), LIMIT_MS).unref();

const pool = new Pool();
const own = snapshot(folder);
const sources = Object.fromEntries(
  Object.entries(own).filter(([path]) => !path.startsWith('tests/')),
);
const books = recorded ? recordings(recorded) : [];
if (!long) {
  for (const book of books) {
    const short = book.scenarios.filter(({ steps }) => steps.length <= MOST_CALLS);
    const left = book.scenarios.length - short.length;
    if (left) console.log(`move: ${left} scenarios of more than ${MOST_CALLS} calls are left to --long`);
    book.scenarios = short;
  }
}
const batches = tests(books, folder);

/** Compiles, and holds the bytecode to what the repository keeps of it. */
async function build() {
  const built = await pool.build(own);
  if (built.error) fail(built.error);
  if (built.warnings) fail(`warnings are errors:\n${built.warnings}`);
  const bytes = keep(folder, built);
  console.log(`move: ${built.modules.length} modules of ${bytes} bytes compiled (${seconds()})`);
}

async function units() {
  const { passed, failed, output } = await pool.test(own);
  if (failed.length) fail(output);
  console.log(`move: ${passed} unit tests passed (${seconds()})`);
  return passed;
}

async function play({ files, played }) {
  const { failed } = await pool.test({ ...sources, ...files });
  return { count: played.size, failed: failed.map((name) => [name, played.get(name)]) };
}

/** Plays each beginning of a scenario: the first that fails names the call. */
async function explain(name, scenario) {
  const cut = await pool.test({ ...sources, ...beginnings(scenario, folder) });
  const first = Math.min(...cut.failed.map((test) => Number(test.split('call_')[1])));
  const step = scenario.steps[first - 1];
  const at = cut.output.indexOf(`┌── call_${first} `);
  return [
    `${name}: call ${first}, ${step?.call}, differs:`,
    JSON.stringify(step),
    cut.output.slice(at, cut.output.indexOf('└──', at)),
  ].join('\n');
}

try {
  const [, unitTests, ...plays] = await Promise.all([build(), units(), ...batches.map(play)]);
  const failed = plays.flatMap((batch) => batch.failed);
  for (const [name, scenario] of failed.slice(0, EXPLAINED)) {
    console.error(await explain(name, scenario));
  }
  if (failed.length) fail(`${failed.length} scenarios differ: ${failed.map(([name]) => name).join(' ')}`);
  const scenarios = plays.reduce((sum, batch) => sum + batch.count, 0);
  if (recorded) console.log(`move: ${scenarios} scenarios played the same (${seconds()})`);
  console.log(`move: ${unitTests + scenarios} passed`);
  await pool.end();
} catch (error) {
  fail(String(error));
}
