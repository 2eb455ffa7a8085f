// Sui's official JavaScript SDK against localnet: reads objects and balances, transfers, buys a
// stack, reads the events. Run by `cargo test -p atoma-localnet --test it javascript`, which serves the
// ledger and passes where everything is: LOCALNET_URL, LOCALNET_TASK, LOCALNET_DB, LOCALNET_USDC,
// LOCALNET_PACKAGE.
import assert from 'node:assert/strict';
import { SuiGrpcClient } from '@mysten/sui/grpc';
import { requestSuiFromFaucetV2 } from '@mysten/sui/faucet';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Transaction, coinWithBalance } from '@mysten/sui/transactions';
import { bcs } from '@mysten/sui/bcs';

const { LOCALNET_URL: url, LOCALNET_TASK: task, LOCALNET_DB: db } = process.env;
const { LOCALNET_USDC: usdc, LOCALNET_PACKAGE: atoma } = process.env;
const client = new SuiGrpcClient({ network: 'localnet', baseUrl: url });
const wallet = new Ed25519Keypair();
const me = wallet.toSuiAddress();
const PRICE = 2_000n; // of 1000 units at 2 USDC a million

async function execute(tx) {
  const result = await client.signAndExecuteTransaction({
    signer: wallet,
    transaction: tx,
    include: { effects: true, events: true, balanceChanges: true, objectTypes: true },
  });
  assert.equal(result.$kind, 'Transaction', JSON.stringify(result.FailedTransaction?.status));
  return result.Transaction;
}

const balance = async (coinType, owner = me) =>
  BigInt((await client.getBalance({ owner, coinType })).balance.balance);

// money, from the faucet as Sui's SDK asks for it
const given = await requestSuiFromFaucetV2({ host: url, recipient: me });
assert.equal(given.status, 'Success');
const sui = await balance();
const dollars = await balance(usdc);
assert.ok(sui > 0n && dollars > PRICE);
const { balances } = await client.listBalances({ owner: me });
assert.equal(balances.length, 2);

// objects
const { objects } = await client.listCoins({ owner: me, coinType: usdc });
assert.equal(objects.reduce((sum, coin) => sum + BigInt(coin.balance), 0n), dollars);
const { object } = await client.getObject({ objectId: db, include: { content: true } });
assert.equal(object.type.split('::').slice(1).join('::'), 'db::AtomaDb');
assert.ok(object.content.length > 32);
const { coinMetadata } = await client.getCoinMetadata({ coinType: usdc });
assert.equal(coinMetadata.decimals, 6);

// a transfer out of the gas coin
const friend = new Ed25519Keypair().toSuiAddress();
const transfer = new Transaction();
const [part] = transfer.splitCoins(transfer.gas, [12_345n]);
transfer.transferObjects([part], friend);
const sent = await execute(transfer);
assert.equal(await balance(undefined, friend), 12_345n);
assert.ok(sent.balanceChanges.some((c) => c.address === friend && c.amount === '12345'));

// a purchase, with everything left for the ledger to resolve
const purchase = new Transaction();
const key = Array.from(wallet.getPublicKey().toRawBytes());
purchase.moveCall({
  target: `${atoma}::stack::acquire`,
  arguments: [
    purchase.object(db),
    purchase.object(task),
    coinWithBalance({ type: usdc, balance: PRICE }),
    purchase.pure.u64(1_000),
    purchase.pure.u64(2_000_000),
    purchase.pure.u8(0),
    purchase.pure(bcs.vector(bcs.u8()).serialize(key)),
    purchase.pure.u64(3_600_000),
    purchase.object.random(),
    purchase.object.clock(),
  ],
});
const bought = await execute(purchase);
assert.equal(await balance(usdc), dollars - PRICE);
const names = bought.events.map((event) => event.eventType.split('::').at(-1));
assert.ok(names.includes('StackAcquired'), names.join());
const made = bought.effects.changedObjects.filter((c) => c.idOperation === 'Created');
const types = made.map((c) => bought.objectTypes[c.objectId]);
assert.ok(types.some((type) => type.endsWith('::stack::Stack')), types.join());

// history
const found = await client.getTransaction({ digest: bought.digest, include: { effects: true } });
assert.equal(found.Transaction.digest, bought.digest);
const events = await client.listEvents({ filter: { sender: me }, limit: 10 });
assert.ok(events.events.some((event) => event.eventType.endsWith('::stack::StackAcquired')));

// what the contract refuses is told by name before it is signed
const wrong = new Transaction();
wrong.moveCall({
  target: `${atoma}::task::deprecate`,
  arguments: [wrong.object(db), wrong.object(task), wrong.object.clock()],
});
await assert.rejects(execute(wrong), /MoveAbort|abort/i);
console.log('ok');

// money in the address and in no coin: it pays, and pays for gas, as the SDK chooses it
const coinless = new Ed25519Keypair();
const theirs = coinless.toSuiAddress();
const order = { FixedAmountRequest: { recipient: theirs }, to_balance: true };
const funded = await fetch(`${url}/v2/gas`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(order),
});
assert.equal(funded.status, 200);
const { balance: held } = await client.getBalance({ owner: theirs, coinType: usdc });
assert.equal(held.coinBalance, '0');
assert.equal(held.addressBalance, held.balance);
const gift = new Transaction();
gift.transferObjects([coinWithBalance({ type: usdc, balance: 77n })], friend);
const gave = await client.signAndExecuteTransaction({
  signer: coinless,
  transaction: gift,
  include: { effects: true, balanceChanges: true },
});
assert.equal(gave.$kind, 'Transaction', JSON.stringify(gave.FailedTransaction?.status));
assert.equal(await balance(usdc, friend), 77n);
assert.equal(await balance(usdc, theirs), BigInt(held.balance) - 77n);
