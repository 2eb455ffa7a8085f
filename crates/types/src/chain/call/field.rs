//! Types that can stand as arguments, and how each is passed.

use super::{ArgKind, CallArg, ObjectKind, PureKind};
use crate::{
    BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, ObjectId, Price, PublicKey, hash::Hash32,
};
use serde::{Serialize, de::DeserializeOwned};
use std::marker::PhantomData;

/// A type that can stand as an argument.
pub(super) trait Field: Sized {
    const KIND: ArgKind;
    fn encode(&self) -> CallArg;
    fn decode(arg: CallArg) -> Result<Self, String>;
}

macro_rules! object_field {
    ($(#[$doc:meta])* $name:ident => $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<K: Kind>(ObjectId, PhantomData<K>);

        impl<K: Kind> $name<K> {
            /// The object's id.
            #[must_use]
            pub fn id(&self) -> ObjectId { self.0 }
        }
        impl<K: Kind, I: Into<ObjectId>> From<I> for $name<K> {
            fn from(id: I) -> Self { Self(id.into(), PhantomData) }
        }
        impl<K: Kind> Field for $name<K> {
            const KIND: ArgKind = ArgKind::$kind(K::KIND);
            fn encode(&self) -> CallArg { CallArg::Object(self.0) }
            fn decode(arg: CallArg) -> Result<Self, String> {
                match arg {
                    CallArg::Object(id) => Ok(id.into()),
                    other => Err(format!("expected an object, not {other:?}")),
                }
            }
        }
    };
}

/// A type-level object kind.
pub trait Kind: Copy + std::fmt::Debug + PartialEq + Eq {
    /// The kind.
    const KIND: ObjectKind;
}

macro_rules! kinds {
    ($($name:ident => $kind:ident),*) => { $(
        /// Stands for the object kind of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;
        impl Kind for $name { const KIND: ObjectKind = ObjectKind::$kind; }
    )* };
}
kinds!(DbKind => Db, AdminKind => AdminCap, NodeKind => Node, TaskKind => Task, StackKind => Stack, BlobKind => Blob, SystemKind => WalrusSystem, OperatorKind => WalrusCap);

object_field!(
    /// `&mut` of a shared object.
    ObjectMut => Mutable
);
object_field!(
    /// `&` of a shared object.
    ObjectRef => Read
);
object_field!(
    /// `&` of an object that the sender owns.
    Owned => Owned
);
object_field!(
    /// `&mut` of an object that the sender owns.
    OwnedMut => OwnedMut
);
object_field!(
    /// An object that the sender owns, consumed.
    Consumed => Consumed
);

/// A coin of USDC that the call takes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment(pub MicroUsdc);

impl Field for Payment {
    const KIND: ArgKind = ArgKind::Payment;
    fn encode(&self) -> CallArg {
        CallArg::Payment(self.0)
    }
    fn decode(arg: CallArg) -> Result<Self, String> {
        match arg {
            CallArg::Payment(amount) => Ok(Self(amount)),
            other => Err(format!("expected a coin, not {other:?}")),
        }
    }
}

macro_rules! system_field {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
        impl Field for $name {
            const KIND: ArgKind = ArgKind::$name;
            fn encode(&self) -> CallArg { CallArg::$name }
            fn decode(arg: CallArg) -> Result<Self, String> {
                match arg {
                    CallArg::$name => Ok(Self),
                    other => Err(format!(concat!("expected the ", stringify!($name), " object, not {:?}"), other)),
                }
            }
        }
    };
}
system_field!(
    /// The ledger's clock.
    Clock
);
system_field!(
    /// The ledger's random beacon.
    Random
);

fn decode_pure<T: DeserializeOwned>(arg: CallArg) -> Result<T, String> {
    match arg {
        CallArg::Pure(bytes) => bcs::from_bytes(&bytes).map_err(|e| e.to_string()),
        other => Err(format!("expected a plain value, not {other:?}")),
    }
}

fn encode_pure<T: Serialize>(value: &T) -> CallArg {
    // plain values: BCS can't refuse them
    CallArg::Pure(bcs::to_bytes(value).unwrap_or_default())
}

macro_rules! pure_field {
    ($($type:ty => $kind:ident),* $(,)?) => { $(
        impl Field for $type {
            const KIND: ArgKind = ArgKind::Pure(PureKind::$kind);
            fn encode(&self) -> CallArg { encode_pure(self) }
            fn decode(arg: CallArg) -> Result<Self, String> { decode_pure(arg) }
        }
    )* };
}
pure_field!(
    u8 => U8, u16 => U16, u32 => U32, u64 => U64, bool => Bool, String => String,
    Vec<u8> => Bytes, Vec<Vec<u8>> => BytesList, Vec<u16> => U16List, Vec<u64> => U64List,
    BlobId => U256, Hash32 => U256,
    MicroUsdc => U64, ComputeUnits => U64, Price => U64, DurationMs => U64,
    Option<Vec<NodeId>> => IdListOption,
);

/// As `vector<u8>` in Move, whose length the contract checks.
impl Field for PublicKey {
    const KIND: ArgKind = ArgKind::Pure(PureKind::Bytes);
    fn encode(&self) -> CallArg {
        encode_pure(&self.0.to_vec())
    }
    fn decode(arg: CallArg) -> Result<Self, String> {
        let bytes: Vec<u8> = decode_pure(arg)?;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| "a key has 32 bytes".to_owned())
    }
}
