// What the machine needs of Sui's framework to play recorded calls: objects and their ids, coins, tables, randomness, signatures.
// Values are those of `machine.mjs`; ids, hashes and signatures are the ledger's own.
import { createPublicKey, verify } from 'node:crypto';
import { blake2b256 } from './blake2b.mjs';
import { copy, ref } from './machine.mjs';

/** What a transaction's digest and a count are hashed with to make an id. */
const ID_INTENT = Buffer.from([0xf1]);
/** An ed25519 key in DER, up to its 32 bytes. */
const DER = Buffer.from('302a300506032b6570032100', 'hex');

const buffer = (list) => Buffer.from(list.map(Number));
const list = (bytes) => [...bytes].map(BigInt);
const little = (value, count) => Array.from({ length: count }, (_, i) => (value >> BigInt(8 * i)) & 0xffn);
const number = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | byte, 0n);
const up = (a, b) => (a + b - 1n) / b;
const key = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));

/** The ledger around a package: its objects, what tables and fields hold, and how often it hashed or verified. */
export class Ledger {
  objects = new Map();
  #fields = new Map();
  verified = 0;
  hashed = 0;

  /** What `object::new` reads and counts on. */
  context(sender, digest, created) {
    return ref([sender, digest, created]);
  }

  #id(ctx) {
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(ctx.value[2]);
    ctx.value[2] += 1n;
    return [[blake2b256(Buffer.concat([ID_INTENT, Buffer.from(ctx.value[1], 'hex'), count])).toString('hex')]];
  }

  keep(object) {
    this.objects.set(object[0][0][0], ref(object));
  }

  #held(of) {
    const id = of.value[0][0];
    if (!this.#fields.has(id)) this.#fields.set(id, new Map());
    return this.#fields.get(id);
  }

  /** Of a table: what it holds under its own id. */
  #rows(table) {
    return this.#held(ref(table.value[0]));
  }

  natives() {
    const get = (rows, name) => {
      if (!rows.has(key(name))) throw new Error('no such field');
      return rows.get(key(name));
    };
    return {
      '0x1::bcs::to_bytes': ({ value }) => {
        if (typeof value === 'boolean') return [value ? 1n : 0n];
        // a juror's verdict is the one struct of which bytes are made: a byte, and a digest
        return Array.isArray(value) ? [value[0], ...list(Buffer.from(value[1][0], 'hex'))] : little(value, 8);
      },
      '0x1::option::extract': (option) => option.value[0].pop(),
      '0x1::string::as_bytes': (string) => ref(string.value[0]),
      '0x1::string::length': (string) => BigInt(string.value[0].length),
      '0x1::u128::divide_and_round_up': up,
      '0x1::u256::divide_and_round_up': up,
      '0x1::vector::remove': (of, at) => of.value.splice(Number(at), 1)[0],
      '0x1::vector::swap_remove': (of, at) => {
        const last = of.value.pop();
        const i = Number(at);
        if (i === of.value.length) return last;
        const [out] = of.value.splice(i, 1, last);
        return out;
      },
      '0x2::balance::destroy_zero': () => {},
      '0x2::balance::join': (into, from) => (into.value[0] += from[0]),
      '0x2::balance::split': (from, amount) => {
        if (from.value[0] < amount) throw new Error('not enough');
        from.value[0] -= amount;
        return [amount];
      },
      '0x2::balance::withdraw_all': (from) => [from.value.splice(0, 1, 0n)[0]],
      '0x2::balance::zero': () => [0n],
      '0x2::bcs::peel_address': (bcs) => buffer(bcs.value[0].splice(0, 32)).toString('hex'),
      '0x2::bcs::peel_u128': (bcs) => number(bcs.value[0].splice(0, 16)),
      '0x2::bcs::peel_u16': (bcs) => number(bcs.value[0].splice(0, 2)),
      '0x2::bcs::peel_u8': (bcs) => bcs.value[0].shift(),
      '0x2::coin::from_balance': (balance, ctx) => [this.#id(ctx), balance],
      '0x2::coin::into_balance': (coin) => coin[1],
      '0x2::coin::value': (coin) => coin.value[1][0],
      // by the book: of a signature that ZIP 215 alone takes nothing is counted
      '0x2::ed25519::ed25519_verify': (signature, of, message) => {
        this.verified++;
        const der = Buffer.concat([DER, buffer(of.value)]);
        const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
        return verify(null, buffer(message.value), publicKey, buffer(signature.value));
      },
      '0x2::hash::blake2b256': (bytes) => {
        this.hashed++;
        return list(blake2b256(buffer(bytes.value)));
      },
      '0x2::object::id_from_address': (address) => [address],
      '0x2::object::id_to_bytes': (id) => list(Buffer.from(id.value[0], 'hex')),
      '0x2::object::new': (ctx) => this.#id(ctx),
      '0x2::object::uid_to_inner': (uid) => copy(uid.value[0]),
      '0x2::random::generate_bytes': (generator) => copy(generator.value),
      '0x2::random::new_generator': (random) => copy(random.value),
      '0x2::table::add': (table, name, value) => {
        this.#rows(table).set(key(name), ref(value));
        table.value[1] += 1n;
      },
      '0x2::table::borrow_mut': (table, name) => get(this.#rows(table), name),
      '0x2::table::contains': (table, name) => this.#rows(table).has(key(name)),
      '0x2::table::is_empty': (table) => table.value[1] === 0n,
      '0x2::table::length': (table) => table.value[1],
      '0x2::table::new': (ctx) => [this.#id(ctx), 0n],
      '0x2::table::remove': (table, name) => {
        const { value } = get(this.#rows(table), name);
        this.#rows(table).delete(key(name));
        table.value[1] -= 1n;
        return value;
      },
      '0x2::dynamic_field::add': (of, name, value) => { this.#held(of).set(key(name), ref(value)); },
      '0x2::dynamic_field::borrow': (of, name) => get(this.#held(of), name),
      '0x2::dynamic_field::borrow_mut': (of, name) => get(this.#held(of), name),
      '0x2::dynamic_field::exists_': (of, name) => this.#held(of).has(key(name)),
      '0x2::transfer::share_object': (object) => this.keep(object),
      '0x2::transfer::transfer': (object) => this.keep(object),
      '0x2::transfer::public_transfer': (object) => this.keep(object),
      '0x2::tx_context::sender': (ctx) => ctx.value[0],
    };
  }
}
