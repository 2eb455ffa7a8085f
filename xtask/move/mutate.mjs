// Breaks one rule of the Move package at a time, in memory, and plays the scenarios that were written by
// hand until some differ. Run once in a while, not in CI; with words, only rules whose names have one of them:
//   cargo xtask move && node xtask/move/mutate.mjs [WORD...]
import { join } from 'node:path';
import { recordings, tests } from './conformance.mjs';
import { Pool } from './pool.mjs';
import { root, snapshot } from './sources.mjs';

/** What is broken: where, what stands there, what is put in its place. */
const MUTATIONS = [
  ['the fee is rounded up', 'money', 'let share = (amount as u128) * (permille as u128) / PERMILLE;', 'let share = ((amount as u128) * (permille as u128)).divide_and_round_up(PERMILLE);'],
  ['a slash is rounded down', 'money', '.divide_and_round_up(PERMILLE)', ' / PERMILLE'],
  ['a node may settle a moment too late', 'settlement', 'assert!(now <= stack.settle_deadline(), EDeadlinePassed);', ''],
  ['a node may not settle in the last moment', 'settlement', 'now <= stack.settle_deadline()', 'now < stack.settle_deadline()'],
  ['a claim is paid a moment too late', 'settlement', 'ticket.payable_from() <= now', 'ticket.payable_from() < now'],
  ['anyone moves a node', 'node', 'self.assert_owner(ctx);\n    assert!(is_url', 'assert!(is_url'],
  ['anyone takes back ungranted units', 'stack', 'self.assert_owner(ctx);\n    assert!(self.ungranted_units() > 0', 'assert!(self.ungranted_units() > 0'],
  ['reputation does not weigh', 'draw', 'let reputation = reputation.min(limits::max_reputation()) as u128;', 'let reputation = reputation.min(1) as u128;'],
  ['the surcharge is not kept in escrow', 'stack', 'money::escrow(open, self.max_price, self.surcharge_permille)', 'money::escrow(open, self.max_price, 0)'],
  ['a claim refunds nothing', 'settlement', 'let refunded = stack.refund(ctx);\n    event::emit(Claimed', 'let refunded = 0;\n    event::emit(Claimed'],
  ['cheap units count fully in the treasury', 'node', 'units.min(cost)', 'units.max(cost)'],
  ['honest receipts contradict each other', 'dispute', '|| grew < sum ||', '|| grew <= sum ||'],
  ['an odd tree loses its last record', 'merkle', 'width / 2 + width % 2', 'width / 2'],
  ['a lane may come twice', 'settlement', '*last_lane.borrow() < lane', '*last_lane.borrow() <= lane'],
  ['any signature is good', 'signature', '&& ed25519::ed25519_verify(signature, &key.to_bytes(), bytes)', '&& (ed25519::ed25519_verify(signature, &key.to_bytes(), bytes) || true)'],
  ['a path is as good from the other side', 'signature', 'if (sides & 1 == 1) merkle::inner(sibling, hash) else merkle::inner(hash, sibling)', 'merkle::inner(hash, sibling)'],
  ['a path may have sides without hashes', 'signature', '&& signature[length - 2] >> (siblings as u8) == 0', ''],
  ['a path may be one hash longer', 'signature', 'siblings <= MAX_PATH', 'siblings <= MAX_PATH + 1'],
  ['a later jail may be shorter', 'node', 'until_ms.max(until)', 'until_ms.min(until)'],
  ['two convictions for one lease', 'dispute', 'lease.set_convicted();', ''],
  ['the owner gets the whole slash', 'dispute', 'let to_treasury = slashed - to_owner;', 'let to_owner = slashed.max(to_owner);\n    let to_treasury = slashed - to_owner;'],
];

const folder = join(root, 'move/atoma');
const own = Object.fromEntries(
  Object.entries(snapshot(folder)).filter(([path]) => !path.startsWith('tests/')),
);
const byHand = recordings(join(root, 'target/move/recordings')).filter((book) => book.book === 'hand');
const batches = tests(byHand, folder).reverse(); // whole tales find more than refusals do
const pool = new Pool();

async function survives([name, module, before, after]) {
  const path = `sources/${module}.move`;
  if (!own[path].includes(before)) throw new Error(`${path} has no ${before}`);
  const source = own[path].replace(before, () => after);
  let failed = [];
  for (const { files } of batches) {
    if (failed.length) break;
    ({ failed } = await pool.test({ ...own, ...files, [path]: source }));
  }
  const first = failed.length ? `\`${failed[0].split('::')[1]}\`` : 'NONE';
  console.log(`| ${name} | \`${module}\` | ${first} |`);
  return failed.length === 0;
}

const words = process.argv.slice(2);
const chosen = MUTATIONS.filter(([name]) => !words.length || words.some((word) => name.includes(word)));
const survived = (await Promise.all(chosen.map(survives))).filter(Boolean).length;
console.log(`${chosen.length - survived} of ${chosen.length} were found`);
await pool.end();
process.exitCode = survived ? 1 : 0;
