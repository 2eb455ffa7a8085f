// What a compiled package offers: its public and entry functions with the types of their arguments,
// read out of the bytecode itself.

/** Kinds of tables of a module. */
const MODULES = 1;
const TYPES = 2;
const FUNCTIONS = 3;
const SIGNATURES = 5;
const IDENTIFIERS = 7;
const ADDRESSES = 8;
const DEFINITIONS = 12;

const NATIVE = 0x2;
const ENTRY = 0x4;
const VISIBILITY = { 0: 'private', 1: 'public', 3: 'package' };

const PLAIN = {
  0x1: 'bool', 0x2: 'u8', 0x3: 'u64', 0x4: 'u128', 0x5: 'address', 0xc: 'signer', 0xd: 'u16', 0xe: 'u32', 0xf: 'u256',
};

/** Bytes after an opcode, where they aren't one number of variable length. */
const FIXED = { 0x06: 8, 0x31: 1, 0x32: 16, 0x48: 2, 0x49: 4, 0x4a: 32 };
/** Opcodes that are followed by a number of variable length. */
const NUMBERED = new Set([
  0x03, 0x04, 0x05, 0x07, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x29, 0x2a, 0x2b, 0x2c, 0x2d,
  0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
  0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56,
]);
/** Packing and unpacking vectors: eight bytes more, the length. */
const COUNTED = new Set([0x40, 0x46]);

class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }
  byte() {
    return this.bytes[this.at++];
  }
  skip(count) {
    this.at += count;
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  all(item) {
    const items = [];
    while (this.at < this.end) items.push(item(this));
    if (this.at !== this.end) throw new Error('a table of the bytecode is not what it should be');
    return items;
  }
  many(item) {
    return Array.from({ length: this.number() }, () => item(this));
  }
}

/** The functions of one module. */
function read(bytes) {
  const head = new Reader(bytes, 8); // after magic and version
  const tables = new Map(head.many((r) => [r.byte(), { offset: r.number(), size: r.number() }]));
  const table = (kind) => {
    const { offset, size } = tables.get(kind) ?? { offset: 0, size: 0 };
    return new Reader(bytes, head.at + offset, head.at + offset + size);
  };
  const identifiers = table(IDENTIFIERS).all((r) => {
    const length = r.number();
    r.skip(length);
    return Buffer.from(bytes.subarray(r.at - length, r.at)).toString();
  });
  const addresses = table(ADDRESSES).all((r) => {
    r.skip(32);
    const text = Buffer.from(bytes.subarray(r.at - 32, r.at)).toString('hex');
    return `0x${text.replace(/^0+/, '') || '0'}`;
  });
  const modules = table(MODULES).all((r) => ({ address: addresses[r.number()], name: identifiers[r.number()] }));
  const types = table(TYPES).all((r) => {
    const { address, name: module } = modules[r.number()];
    const name = identifiers[r.number()];
    r.number(); // abilities
    r.many(() => [r.number(), r.byte()]); // type parameters
    return `${address}::${module}::${name}`;
  });
  const type = (r) => {
    const code = r.byte();
    switch (code) {
      case 0x6: return `&${type(r)}`;
      case 0x7: return `&mut ${type(r)}`;
      case 0x8: return types[r.number()];
      case 0x9: return `T${r.number()}`;
      case 0xa: return `vector<${type(r)}>`;
      case 0xb: return `${types[r.number()]}<${r.many(type).join(', ')}>`;
      default: return PLAIN[code];
    }
  };
  const signatures = table(SIGNATURES).all((r) => r.many(type));
  const handles = table(FUNCTIONS).all((r) => {
    const { name: module } = modules[r.number()];
    const name = identifiers[r.number()];
    const [args, returns] = [signatures[r.number()], signatures[r.number()]];
    return { module, name, args, returns, generic: r.many(() => r.number()).length };
  });
  const code = (r) => {
    r.number(); // locals
    r.many(() => {
      const opcode = r.byte();
      if (NUMBERED.has(opcode)) r.number();
      r.skip(COUNTED.has(opcode) ? 8 : (FIXED[opcode] ?? 0));
    });
    // jump tables
    r.many(() => {
      r.number();
      const branches = r.number();
      r.byte();
      for (let i = 0; i < branches; i++) r.number();
    });
  };
  return table(DEFINITIONS).all((r) => {
    const handle = handles[r.number()];
    const visibility = VISIBILITY[r.byte()];
    const flags = r.byte();
    r.many(() => r.number()); // acquired resources
    if (!(flags & NATIVE)) code(r);
    return { ...handle, visibility, entry: Boolean(flags & ENTRY) };
  });
}

/** What transactions can call, module by module; the package's own types without an address. */
export function abi(modules) {
  const own = (text) => text.replaceAll('0x0::', '');
  return modules
    .flatMap((bytes) => read(bytes))
    .filter((f) => f.visibility === 'public' || f.entry)
    .map(({ module, name, visibility, entry, generic, args, returns }) => ({
      module, name, visibility, entry, generic, args: args.map(own), returns: returns.map(own),
    }))
    .sort((a, b) => (`${a.module}::${a.name}` < `${b.module}::${b.name}` ? -1 : 1));
}
