// Compiles a Move package, lints as errors, and runs its unit tests in the Move VM; with recorded
// scenarios it plays them as well.
//   node run.mjs <package folder> [<folder of recordings>]
import {
  initMovePackageBuilder,
  prepareMovePackagePublish,
  testMovePackage,
} from '@zktx.io/sui-move-builder/full';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { abi } from './abi.mjs';
import { beginnings, recordings, tests } from './conformance.mjs';
import { fetcher, snapshot } from './sources.mjs';

/** Longer than all of it takes on a slow machine. */
const LIMIT_MS = 15 * 60 * 1000;
/** So many failed scenarios are looked into. */
const EXPLAINED = 3;

const [folder, recorded] = process.argv.slice(2);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const fail = (text) => {
  console.error(text);
  process.exit(1);
};

await initMovePackageBuilder();
const packages = fetcher();
const own = snapshot(folder);

async function compile() {
  const since = performance.now();
  const build = await prepareMovePackagePublish({
    files: { ...own },
    fetcher: packages,
    network: 'testnet',
    lintFlag: 'default',
    ansiColor: false,
  });
  if (build.error) fail(build.error);
  if (build.warnings) fail(`warnings are errors:\n${build.warnings}`);
  const bytes = build.modules.map((module) => Buffer.from(module, 'base64').length);
  const sum = bytes.reduce((a, b) => a + b, 0);
  console.log(`move: ${bytes.length} modules of ${sum} bytes, compiled in ${seconds(since)}`);
  return build;
}

/** Runs all tests of these files; says how many there were, and which failed. */
async function run(files) {
  const result = await testMovePackage({
    files: { ...files },
    fetcher: packages,
    network: 'testnet',
    ansiColor: false,
  });
  if (result.error) fail(result.error);
  const total = /Total tests: (\d+); passed: (\d+); failed: (\d+)/.exec(result.output);
  if (!total) fail(result.output);
  const failed = [...result.output.matchAll(/^\[ FAIL\s*\]\s+\w+::(\w+::\w+)/gm)].map((m) => m[1]);
  if (!result.passed && failed.length === 0) fail(result.output);
  return { passed: Number(total[2]), failed, output: result.output };
}

// a runaway test can't be stopped from inside: this thread waits while the VM runs
new Worker(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${LIMIT_MS})`, { eval: true }).unref();

const { modules } = await compile();
const offered = `${JSON.stringify(abi(modules.map((m) => Buffer.from(m, 'base64'))), null, 1)}\n`;
const abiFile = join(folder, 'abi.json');
if (process.env.MOVE_WRITE_ABI) writeFileSync(abiFile, offered);
else if (readFileSync(abiFile, 'utf8') !== offered) {
  fail(`${abiFile} isn't what the bytecode says: write it anew with MOVE_WRITE_ABI=1`);
}
let since = performance.now();
const units = await run(own);
if (units.failed.length) fail(units.output);
console.log(`move: ${units.passed} unit tests passed in ${seconds(since)}`);

let played = 0;
if (recorded) {
  since = performance.now();
  const sources = Object.fromEntries(
    Object.entries(own).filter(([path]) => !path.startsWith('tests/')),
  );
  const all = tests(recordings(recorded), folder);
  const result = await run({ ...sources, ...all.files });
  for (const name of result.failed.slice(0, EXPLAINED)) {
    const scenario = all.played.get(name);
    if (!scenario) continue;
    const cut = await run({
      ...sources,
      'tests/player.move': all.files['tests/player.move'],
      'tests/beginnings.move': beginnings(scenario, folder),
    });
    const first = Math.min(...cut.failed.map((test) => Number(test.split('call_')[1])));
    const step = scenario.steps[first - 1];
    console.error(`${name}: call ${first}, ${step?.call}, differs:\n${JSON.stringify(step)}`);
    const at = cut.output.indexOf(`┌── call_${first} `);
    console.error(cut.output.slice(at, cut.output.indexOf('└──', at)));
  }
  if (result.failed.length) fail(`${result.failed.length} scenarios differ: ${result.failed.join(' ')}`);
  played = all.played.size;
  console.log(`move: ${played} scenarios played the same in ${seconds(since)}`);
}
console.log(`move: ${units.passed + played} passed`);
