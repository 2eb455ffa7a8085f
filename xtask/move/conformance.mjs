// Turns recorded scenarios (`crates/contract/tests/it/conformance.rs`) into Move tests that play them.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, snapshot } from './sources.mjs';

/** So many scenarios in one module: the compiler likes modules of moderate size. */
const PER_MODULE = 40;

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
const sha256 = (hex) => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex');
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
      (object) => text(object.type) + address(object.id) + sha256(object.bcs),
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
function test(name, scenario, admin, aborts) {
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
    `fun ${name}() {`,
    '    let mut steps = vector[];',
    ...steps,
    `    player::play(@${admin}, steps);`,
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

/** Move tests of all scenarios, by path, the player among them; and what each test plays. */
export function tests(books, packageFolder) {
  const aborts = places(packageFolder);
  const files = {
    'tests/player.move': readFileSync(join(root, 'move/conformance/player.move'), 'utf8'),
  };
  const played = new Map();
  for (const { book, admin, scenarios } of books) {
    for (let from = 0; from < scenarios.length; from += PER_MODULE) {
      const module = `${book}_${from / PER_MODULE}`;
      const some = scenarios.slice(from, from + PER_MODULE);
      files[`tests/${module}.move`] = [
        '#[test_only]',
        `module atoma::${module};`,
        '',
        'use atoma::player;',
        '',
        ...some.map((scenario) => {
          played.set(`${module}::${scenario.name}`, { ...scenario, admin });
          return test(scenario.name, scenario, admin, aborts);
        }),
      ].join('\n');
    }
  }
  return { files, played };
}

/** For a scenario that fails, a test of each beginning of it: the first that fails names the call. */
export function beginnings(scenario, packageFolder) {
  const aborts = places(packageFolder);
  const count = scenario.steps.length;
  const cut = (end) => ({ ...scenario, steps: scenario.steps.slice(0, end) });
  const body = Array.from({ length: count }, (_, i) =>
    test(`call_${i + 1}`, cut(i + 1), scenario.admin, aborts));
  return ['#[test_only]', 'module atoma::beginnings;', '', 'use atoma::player;', '', ...body].join('\n');
}
