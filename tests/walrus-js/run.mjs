// The HTTP API of a local store with nothing but fetch, as Walrus's documents describe it, and
// Mysten's own code as the judge: its encoder computes the ids, its quilt encoder makes the quilts.
// Run by `cargo test -p atoma-walrus --test it network`, which serves the store: WALRUS_URL, WALRUS_SHARDS.
import assert from 'node:assert/strict';
import { blobIdFromInt, blobIdToInt, encodeQuilt } from '@mysten/walrus';
import { BlobEncoder } from '@mysten/walrus-wasm';

const url = process.env.WALRUS_URL;
const shards = Number(process.env.WALRUS_SHARDS);
const encoder = new BlobEncoder(shards);
const text = (bytes) => Buffer.from(bytes).toString();
const idOf = (bytes) => Buffer.from(encoder.compute_metadata(bytes)[0]).toString('base64url');

async function put(path, body) {
  const response = await fetch(`${url}${path}`, { method: 'PUT', body });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

async function get(path, init) {
  const response = await fetch(`${url}${path}`, init);
  assert.ok(response.ok, `${path}: ${response.status}`);
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

// blobs: Mysten's id, the same bytes back, whole and in part
for (const size of [0, 1, 1000, 300_000]) {
  const blob = Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251);
  const id = idOf(blob);
  const { newlyCreated } = await put('/v1/blobs?epochs=5&permanent=true', blob);
  assert.equal(newlyCreated.blobObject.blobId, id);
  assert.equal(blobIdFromInt(blobIdToInt(id)), id);
  assert.deepEqual((await get(`/v1/blobs/${id}`)).bytes, blob);
  assert.deepEqual((await get(`/v1/blobs/by-object-id/${newlyCreated.blobObject.id}`)).bytes, blob);
  const again = await put('/v1/blobs?epochs=1&permanent=true', blob);
  assert.equal(again.alreadyCertified.blobId, id);
  if (size < 100) continue;
  const part = await get(`/v1/blobs/${id}`, { headers: { range: 'bytes=10-19' } });
  assert.equal(part.response.status, 206);
  assert.deepEqual(part.bytes, blob.slice(10, 20));
}

// quilts: the same bytes, ids and patches as Mysten's encoder makes
const blobs = [
  { identifier: 'walrus.txt', contents: Buffer.from('a walrus'), tags: { 'content-type': 'text/plain', a: '1', bb: '2' } },
  { identifier: 'empty', contents: Buffer.alloc(0) },
  { identifier: 'large.bin', contents: Buffer.alloc(5000, 7), tags: { zzz: '1', y: '2' } },
];
const form = new FormData();
const tagged = blobs.filter((blob) => blob.tags);
form.append('_metadata', JSON.stringify(tagged.map(({ identifier, tags }) => ({ identifier, tags }))));
for (const blob of blobs) form.append(blob.identifier, new Blob([blob.contents]));
const stored = await put('/v1/quilts?epochs=1', form);
const { quilt, index } = encodeQuilt({ blobs, numShards: shards, encodingType: 'RS2' });
const quiltId = idOf(quilt);
assert.deepEqual((await get(`/v1/blobs/${stored.blobStoreResult.newlyCreated.blobObject.blobId}`)).bytes, quilt);
assert.equal(stored.blobStoreResult.newlyCreated.blobObject.blobId, quiltId);
for (const { identifier, startIndex, endIndex } of index.patches) {
  const bytes = Buffer.alloc(37);
  Buffer.from(quiltId, 'base64url').copy(bytes);
  bytes.writeUInt8(1, 32);
  bytes.writeUInt16LE(startIndex, 33);
  bytes.writeUInt16LE(endIndex, 35);
  const patch = bytes.toString('base64url');
  const said = stored.storedQuiltBlobs.find((blob) => blob.identifier === identifier);
  assert.equal(said.quiltPatchId, patch);
  const { contents } = blobs.find((blob) => blob.identifier === identifier);
  for (const path of [`by-quilt-patch-id/${patch}`, `by-quilt-id/${quiltId}/${identifier}`]) {
    assert.deepEqual(Buffer.from((await get(`/v1/blobs/${path}`)).bytes), contents);
  }
}
const { response } = await get(`/v1/blobs/by-quilt-id/${quiltId}/walrus.txt`);
assert.equal(response.headers.get('content-type'), 'text/plain');
assert.equal(response.headers.get('x-quilt-patch-identifier'), 'walrus.txt');
const patches = JSON.parse(text((await get(`/v1/quilts/${quiltId}/patches`)).bytes));
assert.deepEqual(patches.map((patch) => patch.identifier), ['empty', 'large.bin', 'walrus.txt']);

// errors as the documents have them
const missing = await fetch(`${url}/v1/blobs/${'A'.repeat(43)}`);
assert.equal(missing.status, 404);
const { error } = await missing.json();
assert.deepEqual([error.code, error.status, error.details[0].reason], [404, 'NOT_FOUND', 'BLOB_NOT_FOUND']);
console.log('blobs, quilts and errors as Mysten has them');
