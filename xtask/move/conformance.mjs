// Turns recorded scenarios (`crates/contract/tests/it/conformance.rs`) into Move tests that play them.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, snapshot } from './sources.mjs';

/** So many scenarios in one module: the compiler likes modules of moderate size. */
const PER_MODULE = 40;
/**
 * So many in one run of the VM. Each test costs it as much as all tests are long, and each run costs the
 * compilation of the framework: the two are about the same here.
 */
const BATCH = 120;

const little = (number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes.toString('hex');
};
const length = (count) => {
  let out = '';
  do {
    const rest = count >> 7;
    out += ((count & 0x7f) | (rest ? 0x80 : 0)).toString(16).padStart(2, '0');
    count = rest;
  } while (count);
  return out;
};
const bytes = (hex) => length(hex.length / 2) + hex;
const text = (string) => bytes(Buffer.from(string).toString('hex'));
const list = (items, each) => length(items.length) + items.map(each).join('');
const address = (id) => id.slice(2);

/** The kinds of objects that the player compares. */
const COMPARED = new Set(['db::AtomaDb', 'node::Node', 'task::Task', 'stack::Stack']);

/** A step as `player.move` reads it; `looked` for what came of it, unless another scenario does. */
function encode(step, looked) {
  const head =
    address(step.by) + little(step.at_ms) + step.transaction + little(step.created) + text(step.call);
  const args = step.args.map((arg) => arg.bcs).join('');
  if (step.aborts) return `${head}${args}01`;
  if (!looked) return `${head}${args}02`;
  const { events, paid, objects } = step.done;
  const before = {};
  const place = (type) => (before[type] = (before[type] ?? -1) + 1);
  return [
    head,
    args,
    '00',
    list(events, (event) => text(event.type) + little(place(event.type)) + bytes(event.bcs)),
    list(paid, ([to, amount]) => address(to) + little(amount)),
    list(
      objects.filter((object) => COMPARED.has(object.type)),
      (object) => text(object.type) + address(object.id) + object.hash,
    ),
  ].join('');
}

/** The module that aborts with each code: the one that has the constant. */
export function places(folder) {
  const found = new Map();
  for (const source of Object.values(snapshot(folder))) {
    const module = /^module (\w+::\w+);/m.exec(source)?.[1];
    for (const [, name, code] of source.matchAll(/^const (E\w+): u64 = (\d+);/gm)) {
      if (found.has(code)) throw new Error(`code ${code} stands in two modules`);
      found.set(code, { module, name });
    }
  }
  return found;
}

/** A test. One that ends with an abort looks at nothing else: its beginning is in another. */
function test(scenario, aborts) {
  const last = scenario.steps.at(-1)?.aborts;
  const looked = !last;
  const place = last && aborts.get(String(last.code));
  if (last && !place) throw new Error(`no module aborts with ${last.code} (${last.name})`);
  const attribute = last
    ? `#[test, expected_failure(abort_code = ${place.module}::${place.name})]`
    : '#[test]';
  const steps = scenario.steps.map((step) => `    steps.push_back(x"${encode(step, looked)}");`);
  return [
    attribute,
    `fun ${scenario.name}() {`,
    '    let mut steps = vector[];',
    ...steps,
    `    player::play(@${scenario.admin}, steps);`,
    '}',
    '',
  ].join('\n');
}

/** The scenarios of a folder of recordings. */
export function recordings(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      book: file.replace('.json', ''),
      ...JSON.parse(readFileSync(join(folder, file), 'utf8')),
    }));
}

const player = () => ({
  'tests/player.move': readFileSync(join(root, 'move/conformance/player.move'), 'utf8'),
});

const module = (name, tests) =>
  ['#[test_only]', `module atoma::${name};`, '', 'use atoma::player;', '', ...tests].join('\n');

/** Batches of Move tests, the player among their files; and what each test plays. */
export function tests(books, packageFolder) {
  const aborts = places(packageFolder);
  const batches = [];
  for (const { book, admin, scenarios } of books) {
    for (let from = 0; from < scenarios.length; from += BATCH) {
      const batch = scenarios.slice(from, from + BATCH).map((scenario) => ({ ...scenario, admin }));
      const files = player();
      const played = new Map();
      for (let at = 0; at < batch.length; at += PER_MODULE) {
        const name = `${book}_${(from + at) / PER_MODULE}`;
        const some = batch.slice(at, at + PER_MODULE);
        files[`tests/${name}.move`] = module(name, some.map((scenario) => test(scenario, aborts)));
        some.forEach((scenario) => played.set(`${name}::${scenario.name}`, scenario));
      }
      batches.push({ files, played });
    }
  }
  return batches;
}

/** Of a scenario that fails, a test of each beginning: the first that fails names the call. */
export function beginnings(scenario, packageFolder) {
  const aborts = places(packageFolder);
  const tests = scenario.steps.map((_, i) =>
    test({ ...scenario, name: `call_${i + 1}`, steps: scenario.steps.slice(0, i + 1) }, aborts));
  return { ...player(), 'tests/beginnings.move': module('beginnings', tests) };
}
