// Times @mysten/walrus-wasm. Arguments: pairs of shards and bytes, "n:bytes". One line of JSON each:
// the mean CPU time (µs) of an id, of a full encoding, and of a decoding from the last slivers.
import { BlobEncoder } from '@mysten/walrus-wasm';

/** At least so many runs, and at least so long. */
const RUNS = 3;
const ENOUGH_US = 500_000;

function content(bytes) {
  const data = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) data[i] = Math.imul(i + 1, 0x9e3779b1) >>> 24;
  return data;
}

/** The mean CPU time of several runs, in µs. */
function mean(run) {
  run();
  const before = process.cpuUsage();
  for (let runs = 1; ; runs++) {
    run();
    const { user, system } = process.cpuUsage(before);
    if (runs >= RUNS && user + system >= ENOUGH_US) return Math.round((user + system) / runs);
  }
}

for (const argument of process.argv.slice(2)) {
  const [shards, bytes] = argument.split(':').map(Number);
  const data = content(bytes);
  const faults = Math.floor((shards - 1) / 3);
  const [rows, columns] = [shards - 2 * faults, shards - faults];
  const symbol = Math.ceil(Math.max(bytes, 1) / (rows * columns) / 2) * 2;
  // BCS adds a length of one to five bytes, and two numbers of two
  const sized = (length) => {
    let digits = 1;
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) digits += 1;
    return new Uint8Array(length + digits + 4);
  };
  const primary = Array.from({ length: shards }, () => sized(columns * symbol));
  const secondary = Array.from({ length: shards }, () => sized(rows * symbol));
  const encoder = new BlobEncoder(shards);
  const [blobId] = encoder.compute_metadata(data);
  const id = mean(() => encoder.compute_metadata(data));
  const encode = mean(() => encoder.encode(data, primary, secondary));
  const out = new Uint8Array(bytes);
  const last = primary.slice(shards - rows);
  const decode = mean(() => encoder.decode(blobId, BigInt(bytes), last, out));
  if (!out.every((byte, i) => byte === data[i])) throw new Error('decoding gave other bytes');
  console.log(JSON.stringify({ shards, bytes, id, encode, decode, blobId }));
}
