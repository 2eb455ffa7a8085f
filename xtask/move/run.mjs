// Compiles the Move package, lints as errors, and runs its unit tests in the Move VM.
//   node run.mjs <package folder> [folder of more tests]
import {
  initMovePackageBuilder,
  prepareMovePackagePublish,
  testMovePackage,
} from '@zktx.io/sui-move-builder/full';
import { join } from 'node:path';
import { fetcher, snapshot } from './sources.mjs';

const [folder, more] = process.argv.slice(2);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const fail = (text) => {
  console.error(text);
  process.exit(1);
};

await initMovePackageBuilder();
const packages = fetcher();
const files = snapshot(folder);

let since = performance.now();
const build = await prepareMovePackagePublish({
  files: { ...files },
  fetcher: packages,
  network: 'testnet',
  lintFlag: 'default',
  ansiColor: false,
});
if (build.error) fail(build.error);
if (build.warnings) fail(`warnings are errors:\n${build.warnings}`);
const bytes = build.modules.map((module) => Buffer.from(module, 'base64').length);
const sum = bytes.reduce((a, b) => a + b, 0);
console.log(`compiled ${bytes.length} modules, ${sum} bytes, in ${seconds(since)}`);

since = performance.now();
const tests = more
  ? Object.fromEntries(Object.entries(snapshot(more)).map(([path, text]) => [join('tests', path), text]))
  : {};
const result = await testMovePackage({
  files: { ...files, ...tests },
  fetcher: packages,
  network: 'testnet',
  ansiColor: false,
});
if (result.error) fail(result.error);
if (!result.passed) fail(result.output);
const total = /Total tests: (\d+); passed: (\d+); failed: (\d+)/.exec(result.output);
if (!total || total[1] !== total[2]) fail(result.output);
console.log(`move: ${total[2]} tests passed in ${seconds(since)}`);
