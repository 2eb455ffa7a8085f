// The table of what each function is tested for (`matrix.json`): every function that transactions can call,
// and every case, by the names of its tests, or why there is none. A name may end in `*`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const CASES = [
  'wrong caller', 'wrong state', 'wrong object', 'boundary amounts',
  'after the deadline', 'before the deadline', 'paused', 'old version',
];
const REASON = /^n\/a: .+/;

/** Throws where the table isn't complete or names a test that isn't there; gives the number of its cells. */
export function check(folder, sources) {
  const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const [abi, matrix] = [read('abi.json'), read('matrix.json')];
  const tests = testNames(sources);
  const exists = (name) =>
    name.endsWith('*') ? tests.some((test) => test.startsWith(name.slice(0, -1))) : tests.includes(name);
  const wrong = [];
  const functions = abi.map(({ module, name }) => `${module}::${name}`);
  for (const name of Object.keys(matrix)) if (!functions.includes(name)) wrong.push(`there is no ${name}`);
  for (const name of functions) {
    for (const which of CASES) {
      const cell = matrix[name]?.[which];
      if (Array.isArray(cell) && cell.length) {
        wrong.push(...cell.filter((test) => !exists(test)).map((test) => `${name}, ${which}: no test ${test}`));
      } else if (!REASON.test(cell ?? '')) {
        wrong.push(`${name}, ${which}: neither tests nor "n/a: why"`);
      }
    }
  }
  if (wrong.length) throw new Error(`matrix.json:\n${wrong.join('\n')}`);
  return functions.length * CASES.length;
}

/** `module::function` of all unit tests. */
function testNames(sources) {
  return Object.values(sources).flatMap((source) => {
    const module = /\bmodule atoma::(\w+)/.exec(source)?.[1];
    return [...source.matchAll(/#\[test[^\]]*\]\s*fun (\w+)/g)].map(([, name]) => `${module}::${name}`);
  });
}
