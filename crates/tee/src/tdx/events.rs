//! The log of what was measured, and the registers that it leads to.
//!
//! A register begins with zeros; each event makes it `SHA-384(register ‖ digest)`. The digest of an
//! event at run time is `SHA-384(kind u32 le ‖ ":" ‖ name ‖ ":" ‖ payload)`. Of an event of the
//! firmware only the digest is kept: what it was of is known by the register that a release has.

use super::TdxFault;
use crate::{
    bounded::{Bytes, List, TooMany},
    crypto::sha384,
    fault::Result,
    limits::{MAX_EVENT_NAME_BYTES, MAX_EVENT_PAYLOAD_BYTES, MAX_EVENTS},
    octets::{Measurement, Octets},
};
use serde::{Deserialize, Serialize};

/// The events of one guest, in their order.
pub type EventLog = List<Event, MAX_EVENTS>;

/// The kind of events at run time.
pub const RUNTIME_EVENT: u32 = 0x0800_0001;
/// The kind of all others: the firmware's own kinds aren't measured.
pub const FIRMWARE_EVENT: u32 = 0;
/// Registers of a guest (RTMR0 to RTMR3).
pub(super) const REGISTERS: usize = 4;
/// The register of events at run time.
const RUNTIME_REGISTER: u8 = 3;

/// One event.
///
/// # BCS
/// ```text
/// register 1  0 to 3
/// kind     4  u32 le; 0 but at run time
/// digest  48
/// name        ULEB128 length, bytes; empty but at run time
/// payload     ULEB128 length, bytes; empty but at run time
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The register that it was measured into.
    pub register: u8,
    /// What kind of event.
    pub kind: u32,
    /// What was measured.
    pub digest: Measurement,
    /// Its name, such as `compose-hash`.
    pub name: Bytes<MAX_EVENT_NAME_BYTES>,
    /// What it says.
    pub payload: Bytes<MAX_EVENT_PAYLOAD_BYTES>,
}

impl Event {
    /// An event at run time.
    ///
    /// # Errors
    /// Name or payload are too long.
    pub fn at_run_time(name: &str, payload: &[u8]) -> std::result::Result<Self, TooMany> {
        Ok(Self {
            register: RUNTIME_REGISTER,
            kind: RUNTIME_EVENT,
            digest: runtime_digest(RUNTIME_EVENT, name.as_bytes(), payload),
            name: name.as_bytes().to_vec().try_into()?,
            payload: payload.to_vec().try_into()?,
        })
    }

    fn is_in_its_form(&self) -> bool {
        if self.register == RUNTIME_REGISTER {
            // with a colon in it, name and payload could be told apart at another place
            return self.kind == RUNTIME_EVENT && !self.name.contains(&b':');
        }
        let in_firmware = usize::from(self.register) < REGISTERS && self.kind == FIRMWARE_EVENT;
        in_firmware && self.name.is_empty() && self.payload.is_empty()
    }
}

fn runtime_digest(kind: u32, name: &[u8], payload: &[u8]) -> Measurement {
    sha384(&[&kind.to_le_bytes(), b":", name, b":", payload])
}

/// The registers that a log leads to.
pub(super) fn replay(log: &[Event]) -> Result<[Measurement; REGISTERS]> {
    let mut registers = [Octets([0; 48]); REGISTERS];
    for event in log {
        if !event.is_in_its_form() {
            return Err(TdxFault::EventForm.into());
        }
        let at_run_time = event.register == RUNTIME_REGISTER;
        if at_run_time && event.digest != runtime_digest(event.kind, &event.name, &event.payload) {
            return Err(TdxFault::EventDigest.into());
        }
        let register = &mut registers[usize::from(event.register)];
        *register = sha384(&[&register.0, &event.digest.0]);
    }
    Ok(registers)
}

/// The payload of the event of this name, if there is one; there may not be two.
pub(super) fn payload<'a>(log: &'a [Event], name: &str) -> Result<Option<&'a [u8]>> {
    let named = |event: &&Event| &event.name[..] == name.as_bytes();
    let mut found = log.iter().filter(named);
    let first = found.next();
    if found.next().is_some() {
        return Err(TdxFault::EventTwice.into());
    }
    Ok(first.map(|event| &event.payload[..]))
}
