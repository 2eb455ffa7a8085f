// How much each function does: recorded scenarios are played by the interpreter, which counts the instructions of the package's
// own bytecode (the median and the most over all calls), and how often it hashes and verifies. It isn't gas: Sui weighs instructions by
// what they move, and natives and storage by their own tables. What two versions of a rule do beside each other can be read off it.
//   cargo xtask move && node xtask/move/cost.mjs move/atoma target/move/recordings
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordings } from './conformance.mjs';
import { Ledger } from './framework.mjs';
import { Machine, ref } from './machine.mjs';

const json = (folder, file) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const id = (address) => address.slice(2).padStart(64, '0');
const CLOCK = id('0x6');
const RANDOM = id('0x8');

/** Reads BCS as the machine's values. */
class Bcs {
  constructor(hex) {
    this.bytes = Buffer.from(hex, 'hex');
    this.at = 0;
  }
  take(count) {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  length() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const [byte] = this.take(1);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  value(type) {
    const width = { u8: 1, u16: 2, u32: 4, u64: 8, u128: 16, u256: 32 }[type];
    if (width) return [...this.take(width)].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    if (type === 'bool') return this.take(1)[0] === 1;
    if (type === 'address') return this.take(32).toString('hex');
    if (type === '0x2::object::ID') return [this.value('address')];
    if (type === '0x1::string::String') return [this.value('vector<u8>')];
    const inner = /^(vector|0x1::option::Option)<(.*)>$/.exec(type);
    if (!inner) throw new Error(`an argument of type ${type}`);
    const many = Array.from({ length: this.length() }, () => this.value(inner[2]));
    return inner[1] === 'vector' ? many : [many];
  }
}

/** The arguments of a step. */
function args(step, types, ledger) {
  const given = [...step.args];
  const ctx = ledger.context(id(step.by), step.transaction, BigInt(step.created));
  return types.map((type) => {
    if (type.endsWith('::TxContext')) return ctx;
    if (type.endsWith('::Clock')) return ref([[[CLOCK]], BigInt(step.at_ms)]);
    if (type.endsWith('::Random')) return ref(new Bcs(given.shift().bcs).value('vector<u8>'));
    const arg = given.shift();
    if (type.startsWith('0x2::coin::Coin<')) return [[[RANDOM]], [BigInt(arg.payment)]];
    if (!arg.object) return new Bcs(arg.bcs).value(type);
    const own = /::(AdminCap|AtomaDb)$/.exec(type);
    const object = own ? ledger[own[1]] : ledger.objects.get(id(arg.object));
    if (!object) throw new Error(`no object ${arg.object}`);
    return object;
  });
}

/** Counts of each function, of all calls in the scenarios that were written by hand; and what could not be played. */
function costs(folder, recorded) {
  const machine = (ledger) => new Machine(modules, ledger.natives());
  const modules = json(folder, 'bytecode.json').modules.map((text) => Buffer.from(text, 'base64'));
  const types = new Map(json(folder, 'abi.json').map((f) => [`${f.module}::${f.name}`, f.args]));
  const counts = new Map();
  const problems = [];
  for (const { admin, scenarios } of recordings(recorded).filter(({ book }) => book === 'hand')) {
    for (const { name, steps } of scenarios.filter(({ steps }) => !steps.at(-1).aborts)) {
      const ledger = new Ledger();
      const vm = machine(ledger);
      vm.call('db::init', [ledger.context(id(admin), '00'.repeat(32), 0n)]);
      [ledger.AtomaDb, ledger.AdminCap] = [...ledger.objects.values()].sort((a, b) => b.value.length - a.value.length);
      for (const step of steps) {
        vm.reset();
        [ledger.verified, ledger.hashed] = [0, 0];
        try {
          vm.call(step.call, args(step, types.get(step.call), ledger));
        } catch (error) {
          problems.push(`${name}: ${step.call}: ${error.message}`);
          break;
        }
        if (!counts.has(step.call)) counts.set(step.call, []);
        counts.get(step.call).push([vm.instructions, ledger.verified, ledger.hashed]);
      }
    }
  }
  for (const all of counts.values()) all.sort((a, b) => a[0] - b[0]);
  return { counts, problems };
}

const [folder, recorded] = process.argv.slice(2);
const { counts, problems } = costs(folder, recorded);
console.log('| Function | Instructions | At most | Signatures | Hashes |');
console.log('|---|---|---|---|---|');
for (const [name, all] of [...counts].sort()) {
  const [median, most] = [all[Math.floor(all.length / 2)], all.at(-1)];
  const row = [median[0], most[0], median[1], median[2]].map((n) => n.toLocaleString('en'));
  console.log(`| \`${name}\` | ${row.join(' | ')} |`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length ? 1 : 0;
