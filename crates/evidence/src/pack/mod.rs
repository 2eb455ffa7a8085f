//! Packs: many records of evidence in one blob, each of which can be fetched and proved by itself.
//!
//! A blob of its own costs a record 66 MB on a network of 1000 shards, whatever its size. A quilt
//! holds 666 records at most, gives each whole columns, and proves none without 64 KB of metadata.
//! A pack holds as many as come, costs what their bytes cost, and proves one by a short path.
//!
//! While it is filled, a pack is an append-only file ([`PackWriter`]): the node's evidence log.
//! Closed, it gets its index and its footer and is a blob. A reader fetches footer, header and
//! index ([`Catalog`]), then the one record it wants ([`Pack`], [`RemotePack`]). Who has only a
//! record, a path and the root checks them with [`verify_record`].
//!
//! # Format, version 1
//!
//! Integers are little-endian. Hashes are BLAKE2b-256, the tree is
//! [that of the protocol](atoma_types::merkle). Every byte is covered by a hash, unused ones are
//! zero, and nothing may be left out, added or stand elsewhere.
//!
//! ```text
//! pack = header | records | index | footer
//!
//! header, 128 bytes
//!    0    8  "ATOMAPCK"
//!    8    2  version: 1
//!   10    6  zero
//!   16   32  network
//!   48   32  node
//!   80    8  first: the number of the first record in the node's log; the others follow on it
//!   88    8  created, ms since 1970
//!   96   32  hash of the 96 bytes before
//!
//! record, 36 + n bytes
//!    0    4  n
//!    4    n  content
//!  4+n   32  leaf: hash of 0x00 | content
//!
//! content, 40 + s + a + b bytes
//!    0    1  kind: 1 exchange, 2 request
//!    1    1  form of the request's body: 0 absent, 1 open, 2 open and compressed, 3 sealed
//!    2    1  form of the answer's body; 0 in a request
//!    3    1  zero
//!    4   16  request id
//!   20    4  s
//!   24    4  size of the request's body     28    4  a, the bytes that it has here
//!   32    4  size of the answer's body      36    4  b, the bytes that it has here
//!   40    s  statement
//!          exchange: BCS of the EvidenceLeaf;  request: BCS of the header | signature of the header
//! 40+s    a  request's body
//!   ..    b  answer's body
//!          plain: salt 32 | the bytes as they were sent
//!          compressed: one zstd frame that states its size, shorter than what it holds;
//!          otherwise as it is, so that its two lengths are the same
//!
//! index, 4 + 60 * count bytes
//!    0    4  "ATIX"; read as n it would exceed the limit, so that no record begins like this
//!    4       for each record in order:
//!            request id 16 | leaf 32 | offset in the pack 8 | 36 + n 4
//!
//! footer, 88 bytes
//!    0    8  offset of the index
//!    8    4  count
//!   12    4  zero
//!   16   32  root of the tree over the leaves
//!   48   32  hash of header | index | the 48 bytes before
//!   80    8  "ATOMAEND"
//! ```
//!
//! # Two trees
//!
//! A settlement commits to the hashes of [evidence leaves](atoma_types::message::EvidenceLeaf) of
//! one lease; the statement of an exchange is such a leaf. The tree of a pack is another: its
//! leaves are whole contents, bodies included, since the signatures bind the plain bodies and not
//! the sealed ones. A content begins with a small number and an evidence leaf with a letter, so
//! neither passes for the other.
//!
//! # Salts
//!
//! Header and receipt commit to bodies under a [salt](atoma_types::message::Salt). It lies beside each body
//! and is read by whoever may read that; nobody else can check a guess of it. A pack itself doesn't look at it.
//!
//! # What is trusted
//!
//! The root proves records. Header and index are as good as where they come from: a blob that
//! gives its id proves them, ranges of a blob don't. Sealed bodies are carried as they are.

mod body;
mod catalog;
mod certification;
mod error;
mod footer;
mod header;
mod memory;
mod pack_list;
mod policy;
mod proof;
mod reader;
mod record;
mod recorder;
mod remote;
mod salted;
mod scan;
mod seal;
mod shown;
mod ticket;
mod wrap;
mod writer;

pub use body::{Body, Form};
pub use catalog::{Catalog, Entry};
pub use certification::{KEPT_FOR, ShownAt, Uncertified};
pub use error::PackError;
pub use footer::Footer;
pub use header::Header;
pub use memory::pack_records;
pub use pack_list::{Named, PackList};
pub use policy::ClosingPolicy;
pub use proof::{ReceiptProof, SettlementProof, StorageProof};
pub use reader::Pack;
pub use record::{Kind, Record, verify_record};
pub use recorder::{Recorded, Recorder};
pub use remote::RemotePack;
pub use salted::SaltedBody;
pub use scan::Dropped;
pub use seal::{SealContext, Sealer};
pub use shown::{Place, Shown, ShownBodies};
pub use ticket::{TicketKey, TicketPlace, TicketRecords, TicketSearch};
pub use wrap::BodyKeys;
pub use writer::PackWriter;

use atoma_types::message::SALT_BYTES;

/// The largest body, plain: the longest answer that a node relays from its engine, with its salt.
pub const MAX_BODY: usize = (64 << 20) + SALT_BYTES;
/// What sealing may add to a body: a key for each of its parties, about a hundred bytes each.
pub const MAX_SEAL: usize = 64 << 10;
/// The longest statement: two messages and two signatures are below half of it.
pub const MAX_STATEMENT: usize = 2_048;
/// The most records of a pack. One takes 800 bytes at least, so a full pack has a third of it.
pub const MAX_RECORDS: usize = 1 << 18;
/// The largest pack. One is closed far below; this leaves room for a last record of any size.
pub const MAX_PACK: u64 = 256 << 20;
