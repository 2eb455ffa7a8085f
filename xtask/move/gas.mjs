// Draws cost the same for every seed: `audit::draw`, `examine` and `jury`, and the draw of a purchase, are run over a task with 256
// attesters, each time with another seed, and must do the very same instructions: two hundred times, or with --long a thousand times. What the entry functions do before, to have the beacon's
// bytes, asks for no seed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Machine, copy, ref, seed } from './machine.mjs';
import { root } from './sources.mjs';

const LONG = process.argv.includes('--long');
const SEEDS = LONG ? 1_000 : 200;
const NODES = 256;
const TICKET = 10n;
const id = (number) => number.toString(16).padStart(64, '0');
const none = [[]];
const some = (value) => [[value]];
const bytes32 = (hex) => [hex];

/** The objects, field by field as Move declares them. */
const subscription = (place) => [
  [id(1_000 + place)], id(5_000 + place), 1_000_000n, 100_000_000n + BigInt(place) * 999_983n, 100n + BigInt(place), 0n, { v: 0, f: [] },
  some([true, [8_000_000n], [0n], 0n, 0n]),
];
const offers = Array.from({ length: NODES }, (_, place) => subscription(place));
const task = () => [
  [[id(1)]], 1n, 1n, id(9), 0n, [[]], 1n, 10_000_000n, [0n, 0n, 1n, 0n, 0n], [bytes32(id(7)), 0n, 1n], 0n, 0n, none, none, [0n],
  [2_000_000n], [], copy(offers),
];
const sampling = [200n, 25_000n, 100_000n, 1_000n, 7n, 5n, 2_000_000n, 1_000_000n, 5_000_000n, 50n];
const terms = [10n, 10n, 1_000n, 1_000n, 1_000n, 20_000n, 1_000n, 1_000n, some(sampling)];
const EXAM = { undrawn: { v: 1, f: [] }, drawn: (hex) => ({ v: 2, f: [bytes32(hex)] }), hit: (stage) => ({ v: 3, f: [[
  5n, [[id(1_003)], id(5_003)], 0n, 1n, 10n, { v: stage, f: [] },
]] }) };
const ACCUSED = 2;
const ticket = (exam, challenge, bond) => [
  0n, 900_000n, 0n, TICKET, bytes32(id(0)), 0n, bytes32(id(0)), none, 0n, 5n, [], exam, none, [bond ?? 0n], challenge,
];
const lease = (of) => [[id(2)], id(20), bytes32(id(7)), 1_000_000n, 1_000_000n, 0n, 0n, bytes32(id(0)), [0n], [of], false];
const stack = (of) => [
  [[id(3)]], 1n, id(30), none, [id(1)], [0n, 0n, 1n, 0n, 0n], [bytes32(id(7)), 0n, 1n], bytes32(id(8)), 1_000_000n, terms, 0n, 0n, [],
  [lease(of)], [1_000_000n], [0n], 0n, 1_000n,
];
const clock = () => ref([[[id(6)]], 100n]);

const { modules } = JSON.parse(readFileSync(join(root, 'move/atoma/bytecode.json'), 'utf8'));
const machine = new Machine(modules.map((text) => Buffer.from(text, 'base64')));

/** A seed with which a ticket is hit. */
function hit() {
  for (let n = 0; ; n++) {
    const found = seed(`hit ${n}`);
    if (machine.call('draw::is_hit', [ref(bytes32(found)), 200n])[0]) return found;
  }
}
const struck = hit();
const challenge = some([[5_000_000n], none, none, false]);
const holder = () => [id(2)];

const CASES = {
  'audit::draw': (of) => ['audit::draw_by_seed', [ref(stack(ticket(EXAM.undrawn, none))), holder(), TICKET, of]],
  'audit::examine': (of) => [
    'audit::examine_by_seed', [ref(stack(ticket(EXAM.drawn(struck), none))), ref(task()), holder(), TICKET, of, clock()],
  ],
  'audit::jury of an examination': (of) => [
    'audit::jury_by_seed', [ref(stack(ticket(EXAM.hit(ACCUSED), none, 2_000_000n))), ref(task()), holder(), TICKET, false, of, clock()],
  ],
  'audit::jury of a challenge': (of) => [
    'audit::jury_by_seed', [ref(stack(ticket(EXAM.drawn(struck), copy(challenge)))), ref(task()), holder(), TICKET, true, of, clock()],
  ],
  'stack::acquire, sixteen of 256': (of) => [
    'stack::draw_candidates', [ref(task()), 1_000_000n, 16n, ref(of), 100n],
  ],
};

const words = process.argv.slice(2).filter((word) => word !== '--long');
const chosen = Object.entries(CASES).filter(([name]) => !words.length || words.some((word) => name.includes(word)));
let wrong = 0;
for (const [name, make] of chosen) {
  const traces = new Set();
  const outcomes = new Set();
  for (let n = 0; n < SEEDS; n++) {
    const [key, args] = make(bytes32(seed(n)));
    machine.reset();
    const result = machine.call(key, args);
    traces.add(`${machine.instructions} ${machine.trace}`);
    const seen = key.startsWith('audit') ? args[0].value : result;
    outcomes.add(JSON.stringify(seen, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
  }
  console.log(`${name}: ${machine.instructions} instructions, ${outcomes.size} outcomes of ${SEEDS} seeds, ${traces.size} trace(s)`);
  // one trace, or somebody can tell an outcome by what it costs; many outcomes, or nothing was tried
  if (traces.size !== 1 || outcomes.size < SEEDS / 10) wrong++;
}
if (wrong) {
  console.error(`${wrong} draws cost more for some seeds than for others`);
  process.exitCode = 1;
}
