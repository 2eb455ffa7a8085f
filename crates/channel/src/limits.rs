//! How much a stranger's bytes may hold, how sizes are rounded, and how long keys and requests live.

use atoma_types::DurationMs;

/// Nodes that one request is sealed to: enough that one of them has room, and each costs 1.2 KB and a fifth
/// of a millisecond.
pub const MAX_RECIPIENTS: usize = 4;
/// The head of a request in BCS. Four recipients take 4,875 bytes.
pub const MAX_HEAD_BYTES: usize = 8 << 10;
/// The text of a request. Servers of ours take 4 MiB by default; an operator may raise that.
pub const MAX_REQUEST_BYTES: usize = 16 << 20;
/// The smallest size that a request is padded to: most questions look alike.
pub const SMALLEST_BUCKET_BYTES: usize = 1 << 10;
/// A request's padded text is cut into frames of this size; up to one frame, sizes are powers of two,
/// beyond it whole frames.
pub const CHUNK_BYTES: usize = 64 << 10;
/// A frame of an answer is padded to a multiple of this: a token and a sentence look alike.
pub const ANSWER_BLOCK_BYTES: usize = 256;
/// Every frame of an answer with [`Padding::Even`](crate::Padding::Even) has this size: what is
/// generated in a fiftieth of a second fits, in most formats.
pub const EVEN_FRAME_BYTES: usize = 4 << 10;
/// The padded text of one frame of an answer.
pub const MAX_ANSWER_FRAME_BYTES: usize = 64 << 10;
/// The text of an error, which stands in one frame whatever the padding.
pub const MAX_ERROR_BYTES: usize = 2 << 10;
/// The padded text of a refusal, whatever the padding: an error and no more, so that no answer of any length can be
/// passed off as one to whoever can't read it.
pub const MAX_REFUSAL_BYTES: usize = EVEN_FRAME_BYTES;
/// A receipt with its signature; both forms are below 1 KiB, two of them and a record below 4.
pub const MAX_RECEIPT_BYTES: usize = 4 << 10;
/// Frames of one message: a million tokens, each in a frame of its own. Far below what AES-GCM allows for one key.
pub const MAX_FRAMES: u32 = 1 << 20;
/// A sealed model's files are cut into frames of this size: large, so that there are few; small, so that who reads a
/// part of a file decrypts little else.
pub const MODEL_CHUNK_BYTES: usize = 1 << 20;
/// Files of a sealed model. The largest models have two hundred parts.
pub const MAX_MODEL_FILES: usize = 1 << 10;
/// One of their names, as long as file systems allow.
pub const MAX_MODEL_NAME_BYTES: usize = 255;
/// The list of a sealed model's files: a thousand of them with names of 200 bytes.
pub const MAX_MANIFEST_BYTES: usize = 256 << 10;
/// One file of a sealed model: as many frames as a message may have, a tebibyte.
pub const MAX_MODEL_FILE_BYTES: u64 = MODEL_CHUNK_BYTES as u64 * MAX_FRAMES as u64;
/// What a client's clock may be ahead of a node's.
pub const MAX_SKEW: DurationMs = DurationMs(30_000);
/// How long a sealing key should be given out: a key that leaks opens no more than this much of the past.
pub const KEY_LIFETIME: DurationMs = DurationMs(3_600_000);
/// How long before a keyset's end the next one should be there: twice the longest life of a request, so that a
/// client that has just looked is never without a key.
pub const KEY_OVERLAP: DurationMs = DurationMs(240_000);
/// Keysets that a node holds secrets of: the current one, the next, and two that are running out.
pub const MAX_KEYSETS: usize = 4;
/// Requests that one replica remembers. A request is remembered for at most 150 seconds: this is enough for 1,700
/// requests a second, and takes 30 MB.
pub const MAX_SEEN: usize = 1 << 18;
