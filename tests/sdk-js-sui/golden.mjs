// Sui's official JavaScript SDK as a peer: the transactions that publish and upgrade a package, byte for byte. The
// Rust client's own must be the same as in golden.json; this holds that file to what the SDK builds, and writes it
// with `node golden.mjs --write`. Run by `cargo test -p atoma-localnet --test it javascript` where the SDK is installed.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Transaction } from '@mysten/sui/transactions';

const id = (byte) => `0x${byte.repeat(32)}`;
// an object's digest: base58 of 32 zero bytes
const digest = '1'.repeat(32);
const owned = (byte) => ({ objectId: id(byte), version: '3', digest });
const modules = [[1, 2, 3], [4]];
const dependencies = [id('01'), id('02')];

async function bytes(make, sponsor) {
  const tx = new Transaction();
  tx.setSender(id('09'));
  if (sponsor) tx.setGasOwner(sponsor);
  tx.setGasPrice(1_000);
  tx.setGasBudget(50_000_000);
  tx.setGasPayment([owned('08')]);
  make(tx);
  return Buffer.from(await tx.build()).toString('hex');
}

const shared = (tx, objectId, mutable) => tx.sharedObjectRef({ objectId, initialSharedVersion: '5', mutable });

const golden = {
  publish: await bytes((tx) => {
    const cap = tx.publish({ modules, dependencies });
    tx.transferObjects([cap], id('09'));
  }),
  upgrade: await bytes((tx) => {
    const cap = tx.objectRef(owned('0c'));
    const ticket = tx.moveCall({
      target: '0x2::package::authorize_upgrade',
      arguments: [cap, tx.pure.u8(0), tx.pure.vector('u8', Array(32).fill(7))],
    });
    const receipt = tx.upgrade({ modules, dependencies, package: id('0a'), ticket });
    tx.moveCall({ target: '0x2::package::commit_upgrade', arguments: [cap, receipt] });
  }),
  announce: await bytes((tx) => {
    const db = shared(tx, id('0d'), true);
    tx.moveCall({ target: `${id('0a')}::db::announce`, arguments: [db, tx.objectRef(owned('0c')), shared(tx, '0x6', false)] });
  }),
  migrate_db: await bytes((tx) => {
    tx.moveCall({ target: `${id('0a')}::db::migrate`, arguments: [shared(tx, id('0d'), true), shared(tx, '0x6', false)] });
  }),
  migrate: await bytes((tx) => {
    const db = shared(tx, id('0d'), false);
    tx.moveCall({ target: `${id('0a')}::node::migrate`, arguments: [shared(tx, id('0f'), true), db] });
    tx.moveCall({ target: `${id('0a')}::stack::migrate`, arguments: [shared(tx, id('10'), true), db] });
  }, id('0e')),
};

const file = new URL('golden.json', import.meta.url);
const text = `${JSON.stringify(golden, null, 1)}\n`;
if (process.argv.includes('--write')) writeFileSync(file, text);
assert.equal(readFileSync(file, 'utf8'), text, 'golden.json is not what the SDK builds');
console.log('the transactions are those of golden.json');
