// Breaks one rule of the Move package at a time, in memory, and plays scenarios until some differ: those first that are
// about the rule, then all that were written by hand. Run once in a while, not in CI; with words, only rules whose names
// have one of them:
//   cargo xtask move && node xtask/move/mutate.mjs [WORD...]
import { join } from 'node:path';
import { recordings, tests } from './conformance.mjs';
import { Pool } from './pool.mjs';
import { root, snapshot } from './sources.mjs';

/** What is broken: where, what stands there, what is put in its place, which scenarios are played first. */
const MUTATIONS = [
  ['the fee is rounded up', 'settlement', 'let fee = money::permille(value, terms.fee_permille());', 'let fee = money::permille(money::add(value, 99), terms.fee_permille());', 'a_large_treasury|fees_go'],
  ['a claim is paid in the last moment of its window', 'settlement', 'ticket.deadline_ms() < now', 'ticket.deadline_ms() <= now', 'tickets|b5'],
  ['a node may settle a moment too late', 'settlement', 'assert!(now <= self.settle_deadline(), EDeadlinePassed);', '', 'tickets'],
  ['a settlement need not say what it goes on from', 'settlement', 'assert!(from_seq == lease.claimed_seq(), EFromMismatch);', '', 'tickets'],
  ['a lane may come twice', 'settlement', '*last_lane.borrow() < lane', '*last_lane.borrow() <= lane', 'tickets'],
  ['what was not examined pays its due to the pool', 'settlement', 'if (ticket.exam().is_unexamined()) self.put_free(pool) else task.put_due(pool);', 'task.put_due(pool);', 'a_ticket_that_nobody'],
  ['anyone moves a node', 'node', 'self.assert_own(ctx);\n    assert!(is_url', 'self.assert_current();\n    assert!(is_url', 'market|a_node_moves'],
  ['collateral leaves with something at stake', 'node', 'assert!(self.at_stake == 0, EAtStake);', '', 'market|collateral_leaves'],
  ['fresh collateral weighs at once', 'node', 'if (now >= self.matures_at_ms) collateral else money::saturating_sub(collateral, self.fresh)', 'collateral', 'fresh_collateral'],
  ['a later jail may be shorter', 'node', 'until_ms.max(until)', 'until_ms.min(until)', 'b2|a4|a2'],
  ['a pardon comes too late', 'node', 'assert!(clock.timestamp_ms() <= node.pending.until_ms, EPardonOver);', '', 'a_bad_release'],
  ['added collateral is not diluted', 'standing', 'self.reputation = (sum / (old + added).max(1)) as u64;', 'sum;', 'collateral_that_is_added|b8'],
  ['a day gives as much reputation as is paid for', 'standing', 'const MOST_IN_AN_EPOCH: u64 = 50;', 'const MOST_IN_AN_EPOCH: u64 = 900;', 'b3'],
  ['reputation does not weigh', 'draw', '(reputation.min(limits::max_reputation()) as u128)', '(reputation.min(1) as u128)', 'b1|a_low_price'],
  ['the drawn may be drawn again', 'draw', '*&mut weights[place] = 0;', '', 'five_equal|a_juror'],
  ['units are drawn by records', 'draw', 'from + (offset as u64)', 'from', 'half_of|an_honest'],
  ['the fine is for the first ticket alone', 'lease', 'self.value(self.paid_units, self.claimed_units())', 'self.value(self.paid_units, self.tickets[0].to_units())', 'a_small_ticket'],
  ['three tickets a lease', 'lease', 'const MAX_TICKETS: u64 = 2;', 'const MAX_TICKETS: u64 = 3;', 'tickets|a_ticket_that_is_examined'],
  ['jailed nodes lease', 'stack', 'node.assert_active(now);\n    node.assert_collateral', 'node.assert_collateral', 'b2|leases'],
  ['a lease may cost more than the collateral', 'stack', 'node.assert_covered();', '', 'no_lease_is_larger|leases'],
  ['a revoked grant is good', 'verified', 'assert!(grant.nonce() == nonce, EGrantRevoked);', '', 'c3_a_revoked'],
  ['a grant carries no price', 'stack', '&& price <= grant.max_price()', '', 'a7'],
  ['escrow is freed lease by lease', 'stack', 'money::sub(self.escrow.value(), self.escrow_for(self.live_units()))', 'money::saturating_sub(money::sub(self.escrow.value(), self.escrow_for(self.live_units())), 1)', 'b11|a_stack_grows|a1'],
  ['another model backs a unit', 'evidence', 'assert!(receipt.engine() == *stack.engine(), EReceiptWrongEngine);', '', 'c7_a_record_of_another'],
  ['a record above its order backs a unit', 'evidence', 'assert!(receipt.units() <= order.max_units(), ERecordOverOrder);', '', 'c7_a_record_of_another'],
  ['a record backs the unit after its last', 'evidence', '&& unit < end', '&& unit <= end', 'units_that'],
  ['an odd tree loses its last record', 'merkle', 'width / 2 + width % 2', 'width / 2', 'b5|half_of'],
  ['another receipt stands in the last one\'s place', 'merkle', '&& receipt == last', '', 'copies_of'],
  ['a history begins after the claim', 'settlement', 'assert!(base <= from_seq, EHistoryTooShort);', '', 'no_history|tickets'],
  ['a record of an earlier ticket backs a unit', 'merkle', 'own <= index && ', '', 'a_record_of_an_earlier'],
  ['any signature is good', 'signature', '&& ed25519::ed25519_verify(signature, &key.to_bytes(), bytes)', '&& (ed25519::ed25519_verify(signature, &key.to_bytes(), bytes) || true)', 'leases|tickets'],
  ['a path is as good from the other side', 'signature', 'if (sides & 1 == 1) merkle::inner(sibling, hash) else merkle::inner(hash, sibling)', 'merkle::inner(hash, sibling)', 'tickets|b11'],
  ['a demand pays who asks', 'dispute', 'lease.add_fee(fee);', 'self.put_free(fee);', 'b4|a5|b5'],
  ['an answer may come late', 'dispute', 'assert!(now <= until, EAnswerTooLate);', '', 'tickets|audits'],
  ['one receipt convicts', 'dispute', ' && first != second', '', 'tickets'],
  ['the fine goes to the owner', 'dispute', 'node.hold_fine(fine, money::saturating_add(now, terms.slash_delay_ms()));', 'stack.put_free(fine);', 'a1|a6'],
  ['four of seven convict', 'jury', 'equal >= quorum', 'equal + 1 >= quorum', 'four_equal'],
  ['a copied commitment can be revealed', 'jury', '    bytes.append(juror.to_bytes());\n', '', 'a_juror_that_copies'],
  ['the silent stay on the list', 'audit', 'if (!sitting.voters().is_empty()) sitting.silent().do!(|silent| task.strike(silent));', '', 'five_equal|four_equal'],
  ['who is silent beside the silent is struck off', 'audit', 'if (!sitting.voters().is_empty()) sitting', 'sitting', 'a_jury_of_which|a_record_that_nobody'],
  ['an examiner that was silent stays', 'duties', 'if (hit.is_judged()) hit.silent()', 'if (false) hit.silent()', 'a_silent'],
  ['the silent examiner is drawn again', 'audit', 'silent.do_ref!(|silent| but.push_back(silent.owner()));', '', 'a_record_that_nobody|a_silent'],
  ['a jury gives all back', 'dispute', 'value - value.min(verdicts.refund)', 'value - value', 'a_jury_gives'],
  ['another bond stands for a claim', 'ticket', 'if (challenge) self.challenge.borrow().challenge_bond() else self.exam_bond.value()', 'if (challenge || self.challenge.is_some()) self.challenge.borrow().challenge_bond() else self.exam_bond.value()', 'a_jury_gives'],
  ['accusing the honest pays', 'params', '&& (self.challenge_bond_permille as u128) * convicting >= 1_000 * wrong', '', 'b10'],
  ['a troll pays nothing', 'audit', 'if (bad) staked >= fine else staked == 0', 'staked <= fine', 'a_troll'],
  ['a hung jury keeps the bond of who accused', 'audit', 'if (!challenge && hung) task.credit', 'if (false) task.credit', 'an_accusation'],
  ['an accuser that was right has no bond back', 'duties', 'task.credit(examiner, owed.withdraw_all());', 'task.credit(examiner, money::take(&mut owed, sampling.attest_fee())); task.put_fee(owed.withdraw_all());', 'accomplices'],
  ['attesters have room for so many duties', 'subscription', '&& attester.stake.value() >= fine', '&& attester.stake.value() >= fine && attester.duties < 32', 'duties_that'],
  ['a promise counts for older stacks', 'subscription', '&& attester.since_ms <= bought_at_ms', '', 'who_promises'],
  ['who was evicted on duty is drawn again', 'subscription', 'if (self.is_evicted()) return;', '', 'c2_a_duty'],
  ['a duty keeps the place', 'task', 'if (on_duty) task.dismiss(id) else task.remove(evicted, true);', 'task.remove(evicted, true);', 'c2_a_duty'],
  ['who was evicted keeps a place', 'task', 'self.subscriptions.count!(|offer| !offer.is_evicted())', 'self.subscriptions.length()', 'c2_a_duty'],
  ['a lazy examiner is paid', 'duties', 'if (contradicted) {', 'if (contradicted && false) {', 'a_lazy'],
  ['the node judges itself', 'subscription', '&& !but.contains(&self.owner)', '', 'no_party'],
  ['a duty never ends', 'subscription', 'attester.duties = money::sub(attester.duties, 1);', 'attester.duties;', 'an_honest_ticket'],
  ['a task gives up its pool while stacks may be left', 'task', 'now > money::saturating_add(*since, POOL_REST_MS)', 'now > *since', 'the_pool'],
  ['an attester leaves with a duty open', 'subscription', 'assert!(duties == 0, EDutyOpen);', '', 'an_attester_with'],
  ['one with a duty cannot say that it leaves', 'task', 'if (self.subscriptions[place].is_drawn_on_duty()) self.strike(id)\n    else self.release_attester(node);', 'self.release_attester(node);', 'an_attester_with'],
  ['who leaves, or was silent, is drawn on', 'subscription', 'attester.active\n        && attester.since_ms', 'attester.since_ms', 'an_attester_with|a_silent'],
  ['a juror may be fined more than attesters deposit', 'params', '&& self.juror_fine <= self.examiner_fine', '', 'no_fine_of_jurors'],
  ['who is caught has saved nothing', 'params', '&& p * convicting * (m + 1) >= 1_200 * juries', '&& p * 2 * convicting * (5 * m + 9) >= 12_000 * juries', 'b10'],
  ['no ticket is too small', 'settlement', 'assert!(value >= self.terms().smallest_ticket(), ETicketTooSmall);', '', 'a_small_lease'],
  ['grants can be taken back only while units are left', 'stack', 'self.take_back();\n}\n\n/// Ends the stack now', 'assert!(self.ungranted > 0); self.take_back();\n}\n\n/// Ends the stack now', 'a_grant_is_void'],
  ['shares are what was paid', 'money', 'part.min(rebate)', 'part', 'a_large_treasury'],
  ['fees are reported twice', 'node', 'if (self.current.epoch == epoch) self.current.fees = 0 else self.previous.fees = 0;', '', 'b6|fees_go|market'],
];

const folder = join(root, 'move/atoma');
const own = Object.fromEntries(
  Object.entries(snapshot(folder)).filter(([path]) => !path.startsWith('tests/')),
);
const byHand = recordings(join(root, 'target/move/recordings')).filter((book) => book.book === 'hand');
/** A scenario of more calls takes minutes each time: it is played only if it is about the rule. */
const MOST_CALLS = 300;
/** Of the scenarios that are about a rule, so many are played at first. */
const ABOUT = 100;

/** Batches of the scenarios with such names, or of all the others. */
function batches(about, others) {
  const fits = ({ name, steps }) => about.test(name) !== others && (!others || steps.length <= MOST_CALLS);
  const books = byHand.map((book) => ({ ...book, scenarios: book.scenarios.filter(fits) }));
  if (!others) for (const book of books) book.scenarios = book.scenarios.slice(-ABOUT);
  return tests(books, folder).reverse(); // whole tales find more than refusals do
}
const pool = new Pool();

async function survives([name, module, before, after, about]) {
  const path = `sources/${module}.move`;
  if (!own[path].includes(before)) throw new Error(`${path} has no ${before}`);
  const source = own[path].replace(before, () => after);
  let failed = [];
  const first = new RegExp(`^(${about})`);
  for (const others of [false, true]) {
    for (const { files } of failed.length ? [] : batches(first, others)) {
      if (failed.length) break;
      ({ failed } = await pool.test({ ...own, ...files, [path]: source }));
    }
  }
  const found = failed.length ? `\`${failed[0].split('::')[1]}\`` : 'NONE';
  console.log(`| ${name} | \`${module}\` | ${found} |`);
  return failed.length === 0;
}

const words = process.argv.slice(2);
const chosen = MUTATIONS.filter(([name]) => !words.length || words.some((word) => name.includes(word)));
const survived = (await Promise.all(chosen.map(survives))).filter(Boolean).length;
console.log(`${chosen.length - survived} of ${chosen.length} were found`);
await pool.end();
process.exitCode = survived ? 1 : 0;
