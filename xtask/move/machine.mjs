// A reader and a plain interpreter of Move bytecode, which keeps count of what it does: the compiler's package runs tests
// in Sui's VM, but tells nobody what they cost. Gas on Sui follows from the instructions that are executed and from the
// sizes of what they move, so two runs with the same trace cost the same.
//
// Values: numbers are BigInt, addresses strings, structs and vectors arrays, enums `{ v, f }`, references `Ref`.
import { createHash } from 'node:crypto';

/** A place: in locals, a struct or a vector. */
class Ref {
  constructor(c, i) {
    this.c = c;
    this.i = i;
  }
  get value() {
    return this.c[this.i];
  }
}

export function copy(value) {
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Ref || typeof value !== 'object') return value;
  return { v: value.v, f: value.f.map(copy) };
}

function equal(a, b) {
  if (a instanceof Ref) return equal(a.value, b.value);
  if (Array.isArray(a)) return a.length === b.length && a.every((x, i) => equal(x, b[i]));
  if (typeof a === 'object') return a.v === b.v && equal(a.f, b.f);
  return a === b;
}

/** How many plain values there are in one. */
function size(value) {
  if (Array.isArray(value)) return value.reduce((sum, x) => sum + size(x), 1);
  if (value instanceof Ref || typeof value !== 'object') return 1;
  return size(value.f);
}

class Reader {
  constructor(bytes, at, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }
  byte() {
    return this.bytes[this.at++];
  }
  little(count) {
    let value = 0n;
    for (let i = 0; i < count; i++) value |= BigInt(this.byte()) << BigInt(8 * i);
    return value;
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  slice(count) {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  many(item) {
    return Array.from({ length: this.number() }, () => item(this));
  }
  all(item) {
    const items = [];
    while (this.at < this.end) items.push(item(this));
    if (this.at !== this.end) throw new Error('a table of the bytecode is not what it should be');
    return items;
  }
}

const WIDTH = { 0x2: 1, 0xd: 2, 0xe: 4, 0x3: 8, 0x4: 16, 0xf: 32 };
const LITERAL = { 0x31: 1, 0x48: 2, 0x49: 4, 0x06: 8, 0x32: 16, 0x4a: 32 };
const NUMBERED = new Set([
  0x03, 0x04, 0x05, 0x07, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x36, 0x37, 0x38, 0x39, 0x3a,
  0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56,
]);

function type(r) {
  const code = r.byte();
  if (code === 0x6 || code === 0x7 || code === 0xa) return [code, type(r)];
  if (code === 0x8 || code === 0x9) return [code, r.number()];
  if (code === 0xb) return [code, r.number(), r.many(type)];
  return [code];
}

function constant([code, inner], r) {
  if (WIDTH[code]) return r.little(WIDTH[code]);
  if (code === 0x1) return r.byte() === 1;
  if (code === 0x5) return Buffer.from(r.slice(32)).toString('hex');
  if (code === 0xa) return r.many(() => constant(inner, r));
  throw new Error(`a constant of type ${code}`);
}

function readCode(r) {
  const locals = r.number();
  const code = r.many(() => {
    const op = r.byte();
    if (LITERAL[op]) return [op, r.little(LITERAL[op])];
    const operand = NUMBERED.has(op) ? r.number() : undefined;
    return op === 0x40 || op === 0x46 ? [op, Number(r.little(8))] : [op, operand];
  });
  const jumps = r.many(() => {
    r.number();
    const count = r.number();
    r.byte();
    return Array.from({ length: count }, () => r.number());
  });
  return { locals, code, jumps };
}

/** One module: what the interpreter needs of it. */
function load(bytes) {
  const head = new Reader(bytes, 8);
  const tables = new Map(head.many((r) => [r.byte(), [r.number(), r.number()]]));
  const table = (kind, item) => {
    const [offset, length] = tables.get(kind) ?? [0, 0];
    return new Reader(bytes, head.at + offset, head.at + offset + length).all(item);
  };
  const names = table(7, (r) => Buffer.from(r.slice(r.number())).toString());
  const addresses = table(8, (r) => Buffer.from(r.slice(32)).toString('hex'));
  const modules = table(1, (r) => ({ address: addresses[r.number()], name: names[r.number()] }));
  const signatures = table(5, (r) => r.many(type));
  const handles = table(3, (r) => {
    const module = modules[r.number()];
    const name = names[r.number()];
    const args = signatures[r.number()].length;
    const returns = signatures[r.number()].length;
    r.many(() => r.number());
    const own = /^0*$/.test(module.address);
    const place = own ? '' : `0x${module.address.replace(/^0+/, '')}::`;
    return { own, key: `${place}${module.name}::${name}`, args, returns };
  });
  const field = (r) => {
    r.number();
    type(r);
  };
  const structs = table(0xa, (r) => {
    r.number();
    return r.byte() === 0x2 ? r.many(field).length : 0;
  });
  const enums = table(0x11, (r) => {
    r.number();
    r.byte();
    return r.many(() => {
      r.number();
      return r.many(field).length;
    });
  });
  const variant = (r) => {
    const of = r.number();
    const tag = r.number();
    return { tag, fields: enums[of][tag] };
  };
  const self = { handles, structs, signatures };
  self.constants = table(6, (r) => {
    const of = type(r);
    const data = r.slice(r.number());
    return constant(of, new Reader(data, 0));
  });
  self.fields = table(0xd, (r) => [r.number(), r.number()][1]);
  self.instances = table(4, (r) => [handles[r.number()], r.number()][0]);
  self.structInstances = table(0xb, (r) => [structs[r.number()], r.number()][0]);
  self.fieldInstances = table(0xe, (r) => [self.fields[r.number()], r.number()][0]);
  self.variants = table(0x13, variant);
  self.functions = table(0xc, (r) => {
    const handle = handles[r.number()];
    r.byte();
    const flags = r.byte();
    r.many(() => r.number());
    return { ...handle, module: self, ...(flags & 0x2 ? {} : readCode(r)) };
  });
  return self;
}

/** Runs the functions of a package. */
export class Machine {
  #functions = new Map();
  #natives;
  /** Instructions so far, and a hash of all that was done. */
  instructions = 0;
  trace = 0;

  constructor(modules, natives) {
    for (const bytes of modules) for (const f of load(bytes).functions) this.#functions.set(f.key, f);
    this.#natives = { ...NATIVES, ...natives };
  }

  reset() {
    this.instructions = 0;
    this.trace = 0;
  }

  note(number) {
    this.trace = Math.imul(this.trace ^ number, 0x01000193) >>> 0;
  }

  call(key, args) {
    const f = this.#functions.get(key);
    if (!f?.code) throw new Error(`no function ${key}`);
    return this.#run(f, args);
  }

  #invoke(handle, stack) {
    const args = stack.splice(stack.length - handle.args, handle.args);
    if (handle.own) stack.push(...this.#run(this.#functions.get(handle.key), args));
    else {
      const native = this.#natives[handle.key];
      if (!native) throw new Error(`no native ${handle.key}`);
      for (const arg of args) this.note(size(arg instanceof Ref ? arg.value : arg));
      const result = native(...args);
      if (handle.returns) stack.push(...(handle.returns === 1 ? [result] : result));
    }
  }

  #run({ key, module, locals: signature, code, jumps }, args) {
    const locals = [...args, ...module.signatures[signature].map(() => undefined)];
    const stack = [];
    const pop = () => stack.pop();
    const push = (value) => stack.push(value);
    const two = (act) => {
      const [b, a] = [pop(), pop()];
      push(act(a, b));
    };
    for (let pc = 0; ; ) {
      const [op, n] = code[pc++];
      this.instructions++;
      this.note(op * 65_537 + pc);
      switch (op) {
        case 0x01: pop(); break;
        case 0x02: return stack;
        case 0x03: if (pop()) pc = n; break;
        case 0x04: if (!pop()) pc = n; break;
        case 0x05: pc = n; break;
        case 0x06: case 0x31: case 0x32: case 0x48: case 0x49: case 0x4a: push(n); break;
        case 0x07: push(copy(module.constants[n])); break;
        case 0x08: push(true); break;
        case 0x09: push(false); break;
        case 0x0a: this.note(size(locals[n])); push(copy(locals[n])); break;
        case 0x0b: push(locals[n]); break;
        case 0x0c: locals[n] = pop(); break;
        case 0x0d: case 0x0e: push(new Ref(locals, n)); break;
        case 0x0f: case 0x10: push(new Ref(pop().value, module.fields[n])); break;
        case 0x36: case 0x37: push(new Ref(pop().value, module.fieldInstances[n])); break;
        case 0x11: this.#invoke(module.handles[n], stack); break;
        case 0x38: this.#invoke(module.instances[n], stack); break;
        case 0x12: push(stack.splice(stack.length - module.structs[n])); break;
        case 0x39: push(stack.splice(stack.length - module.structInstances[n])); break;
        case 0x13: case 0x3a: stack.push(...pop()); break;
        case 0x14: { const { value } = pop(); this.note(size(value)); push(copy(value)); break; }
        case 0x15: { const to = pop(); to.c[to.i] = pop(); break; }
        case 0x16: two((a, b) => a + b); break;
        case 0x17: two((a, b) => { if (a < b) throw new Error(`${key}: below zero`); return a - b; }); break;
        case 0x18: two((a, b) => a * b); break;
        case 0x19: two((a, b) => a % b); break;
        case 0x1a: two((a, b) => a / b); break;
        case 0x1b: two((a, b) => a | b); break;
        case 0x1c: two((a, b) => a & b); break;
        case 0x1d: two((a, b) => a ^ b); break;
        case 0x1e: two((a, b) => a || b); break;
        case 0x1f: two((a, b) => a && b); break;
        case 0x20: push(!pop()); break;
        case 0x21: two((a, b) => equal(a, b)); break;
        case 0x22: two((a, b) => !equal(a, b)); break;
        case 0x23: two((a, b) => a < b); break;
        case 0x24: two((a, b) => a > b); break;
        case 0x25: two((a, b) => a <= b); break;
        case 0x26: two((a, b) => a >= b); break;
        case 0x27: throw new Error(`${key} aborts with ${pop()}`);
        case 0x28: case 0x2e: case 0x33: case 0x34: case 0x35: case 0x4b: case 0x4c: case 0x4d: break;
        case 0x2f: two((a, b) => a << b); break;
        case 0x30: two((a, b) => a >> b); break;
        case 0x40: push(n ? stack.splice(stack.length - n) : []); break;
        case 0x41: push(BigInt(pop().value.length)); break;
        case 0x42: case 0x43: two((v, i) => {
          if (i >= v.value.length) throw new Error(`${key}: out of bounds`);
          return new Ref(v.value, Number(i));
        }); break;
        case 0x44: { const value = pop(); pop().value.push(value); break; }
        case 0x45: push(pop().value.pop()); break;
        case 0x46: stack.push(...pop()); break;
        case 0x47: { const [j, i, v] = [Number(pop()), Number(pop()), pop().value]; [v[i], v[j]] = [v[j], v[i]]; break; }
        case 0x4e: { const { tag, fields } = module.variants[n]; push({ v: tag, f: fields ? stack.splice(stack.length - fields) : [] }); break; }
        case 0x50: stack.push(...pop().f); break;
        case 0x51: case 0x52: { const { f } = pop().value; f.forEach((_, i) => push(new Ref(f, i))); break; }
        case 0x56: pc = jumps[n][pop().value.v]; break;
        default: throw new Error(`${key}: instruction ${op}`);
      }
    }
  }
}

const little = (value, count) => Array.from({ length: count }, (_, i) => (value >> BigInt(8 * i)) & 0xffn);
const number = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | byte, 0n);
const least = (a, b) => (a < b ? a : b);
const most = (a, b) => (a > b ? a : b);
const some = (option) => option.value[0].length > 0;

/** What the framework does, as far as it is called. Its hash is another: a trace asks for a spread of outcomes only. */
const NATIVES = {
  '0x1::option::none': () => [[]],
  '0x1::option::some': (value) => [[value]],
  '0x1::option::is_some': some,
  '0x1::option::is_none': (option) => !some(option),
  '0x1::option::borrow': (option) => new Ref(option.value[0], 0),
  '0x1::option::borrow_mut': (option) => new Ref(option.value[0], 0),
  '0x1::option::destroy_some': (option) => option[0][0],
  '0x1::option::destroy_none': () => {},
  '0x1::option::contains': (option, value) => some(option) && equal(option.value[0][0], value.value),
  '0x1::option::fill': (option, value) => { option.value[0].push(value); },
  '0x1::vector::contains': (list, value) => list.value.some((item) => equal(item, value.value)),
  '0x1::vector::is_empty': (list) => list.value.length === 0,
  '0x1::vector::append': (list, more) => { list.value.push(...more); },
  '0x1::vector::reverse': (list) => { list.value.reverse(); },
  '0x1::u64::min': least,
  '0x1::u64::max': most,
  '0x1::u128::min': least,
  '0x1::u128::max': most,
  '0x1::bcs::to_bytes': (value) => little(value.value, 8),
  '0x2::bcs::new': (bytes) => [bytes],
  '0x2::bcs::peel_u64': (bcs) => number(bcs.value[0].splice(0, 8)),
  '0x2::bcs::peel_u256': (bcs) => number(bcs.value[0].splice(0, 32)),
  '0x2::address::from_bytes': (bytes) => Buffer.from(bytes.map(Number)).toString('hex'),
  '0x2::address::to_bytes': (address) => [...Buffer.from(address, 'hex')].map(BigInt),
  '0x2::hash::blake2b256': (bytes) =>
    [...createHash('sha256').update(Buffer.from(bytes.value.map(Number))).digest()].map(BigInt),
  '0x2::object::id': (object) => copy(object.value[0][0]),
  '0x2::balance::value': (balance) => balance.value[0],
  '0x2::clock::timestamp_ms': (clock) => clock.value[1],
  '0x2::event::emit': () => {},
};

/** The same seed as 32 bytes. */
export function seed(number) {
  return createHash('sha256').update(String(number)).digest('hex');
}

export const ref = (value) => new Ref([value], 0);
