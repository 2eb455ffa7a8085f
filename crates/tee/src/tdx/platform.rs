//! What Intel's certificate of a platform's key says of the platform.
//!
//! ```text
//! extension 1.2.840.113741.1.13.1: SEQUENCE OF SEQUENCE { OID, value }
//!   .1 OCTET STRING: the platform's name (PPID)
//!   .7 SEQUENCE OF SEQUENCE { OID, BOOLEAN }: .7.1 dynamic platform, .7.2 cached keys, .7.3 SMT
//! ```

use super::{SetUp, TdxFault};
use crate::{
    der::{Reader, tag},
    fault::Result,
    x509::Certificate,
};

const SGX: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 13, 1];
const PLATFORM: u8 = 1;
const SET_UP: u8 = 7;

/// The platform's name, and its set-up. A platform of one package says nothing of a set-up.
pub(super) fn read(leaf: &Certificate<'_>) -> Result<(Vec<u8>, SetUp)> {
    let value = leaf.extension(SGX).ok_or(TdxFault::Platform)?;
    let mut platform = None;
    let mut set_up = SetUp::default();
    let mut list = Reader::within(value)?;
    while !list.is_empty() {
        let mut pair = list.sequence()?;
        let oid = pair.expect(tag::OID)?.body;
        let value = pair.next()?;
        pair.end()?;
        match oid.strip_prefix(SGX) {
            Some([PLATFORM]) => platform = Some(value.body.to_vec()),
            Some([SET_UP]) => read_set_up(Reader::new(value.body), &mut set_up)?,
            _ => {}
        }
    }
    let platform = platform.ok_or(TdxFault::Platform)?;
    Ok((platform, set_up))
}

fn read_set_up(mut list: Reader<'_>, set_up: &mut SetUp) -> Result<()> {
    while !list.is_empty() {
        let mut pair = list.sequence()?;
        let oid = pair.expect(tag::OID)?.body;
        let is = match pair.last(tag::BOOLEAN)?.body {
            [0] => false,
            [0xff] => true,
            _ => return Err(TdxFault::Platform.into()),
        };
        match oid.strip_prefix(SGX) {
            Some([SET_UP, 1]) => set_up.dynamic_platform = is,
            Some([SET_UP, 2]) => set_up.cached_keys = is,
            Some([SET_UP, 3]) => set_up.smt = is,
            _ => return Err(TdxFault::Platform.into()),
        }
    }
    Ok(())
}
