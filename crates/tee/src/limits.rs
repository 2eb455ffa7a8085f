//! How much a stranger's evidence may hold. A bundle comes from a node, or from whoever copied one
//! to Walrus, and is read before anything about it is believed.

/// A whole bundle. Eight GPUs and four switches with manifests and an event log take 150 KiB; a
/// reader holds a bundle in memory twice at most.
pub const MAX_BUNDLE_BYTES: usize = 1 << 20;
/// One certificate in DER. The longest genuine one, an AMD intermediate, has 1,677 bytes.
pub const MAX_CERTIFICATE_BYTES: usize = 8 << 10;
/// One revocation list in DER. Intel's list of platform keys has the most entries.
pub const MAX_REVOCATION_LIST_BYTES: usize = 256 << 10;
/// Entries of a revocation list that are read.
pub const MAX_REVOKED: usize = 10_000;
/// Certificates of one chain. NVIDIA's have five, AWS's five, Intel's three.
pub const MAX_CHAIN: usize = 8;
/// Extensions of one certificate. An AMD chip's certificate has eleven.
pub const MAX_EXTENSIONS: usize = 32;
/// GPUs and switches of one bundle. A board has eight GPUs and four switches.
pub const MAX_DEVICES: usize = 16;
/// One device's report. The longest genuine one, a Hopper GPU's, has about 4 KiB.
pub const MAX_DEVICE_REPORT_BYTES: usize = 16 << 10;
/// Signed manifests of one bundle: driver, firmware and switch firmware, with room for mixed boards.
pub const MAX_MANIFESTS: usize = 8;
/// One signed manifest. A switch's has 26 KiB.
pub const MAX_MANIFEST_BYTES: usize = 128 << 10;
/// Sealing keys of one keyset: two overlap while keys rotate, and two suites may stand side by side.
pub const MAX_SEALING_KEYS: usize = 4;
/// One public sealing key. X-Wing's has 1,216 bytes.
pub const MAX_SEALING_KEY_BYTES: usize = 2 << 10;
/// A policy file. One with a hundred releases has about 100 KiB.
pub const MAX_POLICY_BYTES: usize = 1 << 20;
/// One TDX quote. A genuine one has about 5 KiB; device files pad it to 16.
pub const MAX_QUOTE_BYTES: usize = 16 << 10;
/// One of Intel's signed statements: what it knows of a platform's state. About 12 KiB for the
/// platforms with the longest history.
pub const MAX_STATEMENT_BYTES: usize = 64 << 10;
/// Events of one log. A guest with firmware, boot loader and kernel has about a hundred.
pub const MAX_EVENTS: usize = 1_024;
/// An event's name.
pub const MAX_EVENT_NAME_BYTES: usize = 128;
/// What an event says: digests, ids, short settings.
pub const MAX_EVENT_PAYLOAD_BYTES: usize = 4 << 10;
/// One Nitro document; the hypervisor makes none longer than 16 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 16 << 10;
/// One stored answer about a certificate, with the certificate of who answers.
pub const MAX_ANSWER_BYTES: usize = 8 << 10;
