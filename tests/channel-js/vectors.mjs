// The sealed channel as docs/protocol.md has it, over another implementation of HPKE and X-Wing and none of the Rust code:
// what both make of the same random bytes must be the same, byte for byte. `node vectors.mjs` holds vectors.json to this,
// `node vectors.mjs --write` writes it; crates/channel/tests/it/interop.rs holds the Rust crate to the file.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, hkdfSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { blake2b } from '@noble/hashes/blake2b';

const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const ascii = (text) => Buffer.from(text, 'latin1');
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const fill = (byte, count = 32) => Buffer.alloc(count, byte);
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const hash = (bytes) => Buffer.from(blake2b(bytes, { dkLen: 32 }));
const exact = (bytes) => new Uint8Array(bytes).buffer;

const REQUEST = ascii('atoma/sealreq/v1');
const ANSWER = ascii('atoma/sealans/v1');
const NOW = 1_795_000_000_000;

// --- keys of one message -----------------------------------------------------------------------------

function messageKey(secret, salt, tag) {
  const okm = Buffer.from(hkdfSync('sha256', secret, salt, tag, 76));
  return { key: okm.subarray(0, 32), base: okm.subarray(32, 44), commitment: okm.subarray(44) };
}

function frame({ key, base }, binding, index, kind, text) {
  const head = join(u32(text.length + 16), u32(index), [kind]);
  const nonce = Buffer.from(base);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ index) >>> 0, 8);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(join(binding, head));
  return join(head, cipher.update(text), cipher.final(), cipher.getAuthTag());
}

// --- nodes ---------------------------------------------------------------------------------------------

async function node(number) {
  const keys = await suite.kem.generateKeyPairDerand(fill(number));
  const publicKey = Buffer.from(await suite.kem.serializePublicKey(keys.publicKey));
  const keyset = join(
    ascii('atoma/keyset/v1\0'), fill(1), fill(2), fill(number), fill(0x0e), fill(0),
    [1], u32(1), [0], [0xc0, 0x09], publicKey, fill(5), [0], u64(NOW - 600_000), u64(NOW + 3_000_000),
  );
  return { id: fill(number), keys, publicKey, digest: createHash('sha256').update(keyset).digest(), keyId: 1 };
}

// --- requests --------------------------------------------------------------------------------------------

const CHUNK = 65_536;

function padRequest(text) {
  const least = Math.max(4 + text.length, 1_024);
  const bucket = least <= CHUNK ? 2 ** Math.ceil(Math.log2(least)) : Math.ceil(least / CHUNK) * CHUNK;
  return join(u32(text.length), text, fill(0, bucket - 4 - text.length));
}

async function sealRequest(nodes, text, padding, random) {
  const take = (count) => { const taken = random.subarray(0, count); random = random.subarray(count); return taken; };
  const content = take(32);
  const key = messageKey(content, REQUEST, REQUEST);
  const recipients = [];
  for (const { keys, id, digest, keyId } of nodes) {
    const info = exact(join(REQUEST, digest, u32(keyId)));
    const context = await suite.createSenderContext({ recipientPublicKey: keys.publicKey, info, ekm: exact(take(64)) });
    recipients.push({ context, listed: join(id, digest, u32(keyId), Buffer.from(context.enc)) });
  }
  const head = join(
    fill(1), fill(4), [0], u64(1_000), u64(NOW), u64(NOW + 60_000), [padding], key.commitment,
    [recipients.length], ...recipients.map(({ listed }) => listed),
  );
  let sealed = join(REQUEST, u32(head.length), head);
  const bound = hash(sealed);
  for (const { context } of recipients) {
    sealed = join(sealed, Buffer.from(await context.seal(exact(content), exact(bound))));
  }
  const binding = hash(sealed);
  const padded = padRequest(text);
  const chunks = Math.ceil(padded.length / CHUNK);
  for (let i = 0; i < chunks; i += 1) {
    sealed = join(sealed, frame(key, binding, i, i + 1 === chunks ? 1 : 0, padded.subarray(i * CHUNK, (i + 1) * CHUNK)));
  }
  return sealed;
}

// --- answers -----------------------------------------------------------------------------------------------

// as a node: the secret comes from what it opened
async function sealAnswer(sealed, place, { keys, id, digest, keyId }, padding, random, said, receipt) {
  const length = sealed.readUInt32LE(16);
  const start = 20 + 123 + place * 1_188 + 68;
  const info = exact(join(REQUEST, digest, u32(keyId)));
  const enc = exact(sealed.subarray(start, start + 1_120));
  const context = await suite.createRecipientContext({ recipientKey: keys.privateKey, enc, info });
  const wrap = sealed.subarray(20 + length + place * 48).subarray(0, 48);
  await context.open(exact(wrap), exact(hash(sealed.subarray(0, 20 + length))));
  const secret = Buffer.from(await context.export(exact(ANSWER), 32));
  const request = hash(sealed);
  const key = messageKey(secret, join(request, random), ANSWER);
  const head = join(ANSWER, id, request, random, key.commitment);
  const binding = hash(head);
  const frames = said.map(({ error, text }, i) => {
    const bytes = error === undefined ? text : join([error & 255, error >> 8], text);
    const size = padding === 1 ? 4_096 : Math.ceil((5 + bytes.length) / 256) * 256;
    const padded = join([error === undefined ? 0 : 1], u32(bytes.length), bytes, fill(0, size - 5 - bytes.length));
    return frame(key, binding, i, i + 1 === said.length ? 1 : 0, padded);
  });
  return join(head, ...frames, u32(receipt.length), u32(said.length), [2], receipt);
}

// --- the vectors --------------------------------------------------------------------------------------------

const counted = (from, count) => Buffer.from(Array.from({ length: count }, (_, i) => (from + 7 * i) & 255));
const nodes = [await node(1), await node(2)];
const vectors = [];
for (const [name, count, place, padding, length] of [
  ['one node', 1, 0, 0, 11], ['two nodes, the second answers', 2, 1, 1, 3_000], ['two chunks', 1, 0, 0, 70_000],
]) {
  const random = counted(vectors.length, 32 + 64 * count);
  const text = counted(3, length);
  const sealed = await sealRequest(nodes.slice(0, count), text, padding, random);
  const answerRandom = counted(99, 32);
  const said = [{ text: ascii('it ') }, { text: fill(0x78, 300) }, { error: 503, text: ascii('{"error":{}}') }];
  const receipt = ascii('signed elsewhere');
  const answer = await sealAnswer(sealed, place, nodes[place], padding, answerRandom, said, receipt);
  // a long request by its hash alone
  const shown = sealed.length < 10_000 ? { sealed: hex(sealed) } : {};
  vectors.push({
    name, nodes: count, place, padding, length, random: hex(random), ...shown, hash: hex(hash(sealed)),
    answer_random: hex(answerRandom), answer: hex(answer),
  });
}
const file = { keysets: nodes.map(({ digest }) => hex(digest)), vectors };

const path = new URL('vectors.json', import.meta.url);
const json = `${JSON.stringify(file, null, 1)}\n`;
if (process.argv.includes('--write')) writeFileSync(path, json);
assert.equal(readFileSync(path, 'utf8'), json);
console.log(`${vectors.length} passed, 0 failed`);
