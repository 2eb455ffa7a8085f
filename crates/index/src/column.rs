//! What a row is in SQLite: one macro gives a struct its table, its key and its statements, so that
//! the three can't drift apart.

use atoma_types::{
    Address, BlobId, ComputeUnits, DurationMs, MicroUsdc, NetworkId, NodeId, Price, PublicKey,
    Role, SealingKey, SecurityLevel, StackId, TaskId, TimestampMs, hash::Hash32,
};
use rusqlite::types::Value;
use std::marker::PhantomData;

/// A type that a column can hold.
pub(crate) trait Column: Sized {
    /// SQLite's strict type, with `NOT NULL` where it holds.
    const SQL: &'static str;
    fn to_value(&self) -> Value;
    /// `None` if the value isn't one of this type.
    fn from_value(value: Value) -> Option<Self>;
}

/// The key of a row of `T`.
#[derive(Debug)]
pub(crate) struct Key<T>(pub(crate) Vec<Value>, PhantomData<T>);

impl<T> Key<T> {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values, PhantomData)
    }
}

/// The statements of a table.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) create: String,
    pub(crate) list: String,
    pub(crate) get: String,
    pub(crate) put: String,
    pub(crate) remove: String,
}

impl Sql {
    pub(crate) fn new(
        table: &str,
        keys: &[(&str, &str)],
        columns: &[(&str, &str)],
        indexes: &[&str],
    ) -> Self {
        let join = |parts: Vec<String>, by: &str| parts.join(by);
        let all: Vec<_> = keys.iter().chain(columns).collect();
        let names = join(
            all.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ", ",
        );
        let typed = all
            .iter()
            .map(|(name, sql)| format!("{name} {sql}"))
            .collect();
        let typed = join(typed, ", ");
        let key = join(
            keys.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ", ",
        );
        let holes = join(vec!["?".to_owned(); all.len()], ", ");
        let found = keys.iter().map(|(name, _)| format!("{name} = ?")).collect();
        let found = join(found, " AND ");
        let indexes: String = indexes
            .iter()
            .map(|of| {
                let name = of.replace(", ", "_");
                format!("CREATE INDEX {table}_by_{name} ON {table} ({of});\n")
            })
            .collect();
        Self {
            create: format!(
                "CREATE TABLE {table} ({typed}, PRIMARY KEY ({key}))
                 STRICT, WITHOUT ROWID;\n{indexes}"
            ),
            list: format!("SELECT {names} FROM {table}"),
            get: format!("SELECT {names} FROM {table} WHERE {found}"),
            put: format!("INSERT OR REPLACE INTO {table} ({names}) VALUES ({holes})"),
            remove: format!("DELETE FROM {table} WHERE {found}"),
        }
    }
}

/// A struct that is a row of a table.
pub(crate) trait Table: Sized + 'static {
    const NAME: &'static str;
    fn sql() -> &'static Sql;
    fn key(&self) -> Key<Self>;
    /// Key and columns, in the table's order.
    fn values(&self) -> Vec<Value>;
    fn from_values(values: Vec<Value>) -> Option<Self>;
}

macro_rules! table {
    (
        $(#[$doc:meta])* $name:ident in $table:literal
        key { $($(#[$kdoc:meta])* $key:ident: $ktype:ty),* $(,)? }
        columns { $($(#[$cdoc:meta])* $column:ident: $ctype:ty),* $(,)? }
        index [$($index:literal),*]
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
        pub struct $name {
            $($(#[$kdoc])* pub $key: $ktype,)*
            $($(#[$cdoc])* pub $column: $ctype,)*
        }

        impl $name {
            /// The key of a row.
            pub(crate) fn at($($key: $ktype),*) -> $crate::column::Key<Self> {
                use $crate::column::{Column, Key};
                Key::new(vec![$(Column::to_value(&$key)),*])
            }
        }

        impl $crate::column::Table for $name {
            const NAME: &'static str = $table;

            fn sql() -> &'static $crate::column::Sql {
                use $crate::column::{Column, Sql};
                static SQL: std::sync::LazyLock<Sql> = std::sync::LazyLock::new(|| Sql::new(
                    $table,
                    &[$((stringify!($key), <$ktype as Column>::SQL)),*],
                    &[$((stringify!($column), <$ctype as Column>::SQL)),*],
                    &[$($index),*],
                ));
                &SQL
            }

            fn key(&self) -> $crate::column::Key<Self> {
                Self::at($(self.$key),*)
            }

            fn values(&self) -> Vec<rusqlite::types::Value> {
                use $crate::column::Column;
                vec![$(Column::to_value(&self.$key),)* $(Column::to_value(&self.$column)),*]
            }

            fn from_values(values: Vec<rusqlite::types::Value>) -> Option<Self> {
                use $crate::column::Column;
                let mut values = values.into_iter();
                Some(Self {
                    $($key: Column::from_value(values.next()?)?,)*
                    $($column: Column::from_value(values.next()?)?,)*
                })
            }
        }
    };
}
pub(crate) use table;

/// An enum that is text in its column and in JSON.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// The name under which it stands in a table.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl $crate::column::Column for $name {
            const SQL: &'static str = "TEXT NOT NULL";
            fn to_value(&self) -> rusqlite::types::Value {
                self.as_str().to_owned().into()
            }
            fn from_value(value: rusqlite::types::Value) -> Option<Self> {
                match value {
                    rusqlite::types::Value::Text(text) => match text.as_str() {
                        $($text => Some(Self::$variant),)*
                        _ => None,
                    },
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use text_enum;

impl<T: Column> Column for Option<T> {
    const SQL: &'static str = {
        // a column that may be empty has the bare type
        match T::SQL.as_bytes() {
            b"INTEGER NOT NULL" => "INTEGER",
            b"BLOB NOT NULL" => "BLOB",
            _ => "TEXT",
        }
    };
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Column::to_value)
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// SQLite's integers are signed: the same 64 bits, so that even a liar's number comes back as it was.
/// Money and units of the contract never reach the sign, so they sort and add up in SQL.
impl Column for u64 {
    const SQL: &'static str = "INTEGER NOT NULL";
    fn to_value(&self) -> Value {
        Value::Integer(self.cast_signed())
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(number.cast_unsigned()),
            _ => None,
        }
    }
}

impl Column for bool {
    const SQL: &'static str = "INTEGER NOT NULL";
    fn to_value(&self) -> Value {
        Value::Integer((*self).into())
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Integer(0) => Some(false),
            Value::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl Column for String {
    const SQL: &'static str = "TEXT NOT NULL";
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    const SQL: &'static str = "BLOB NOT NULL";
    fn to_value(&self) -> Value {
        Value::Blob(self.clone())
    }
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Column for [u8; 32] {
    const SQL: &'static str = "BLOB NOT NULL";
    fn to_value(&self) -> Value {
        Value::Blob(self.to_vec())
    }
    fn from_value(value: Value) -> Option<Self> {
        Vec::<u8>::from_value(value)?.try_into().ok()
    }
}

macro_rules! columns {
    ($($type:ty as $inner:ty: $to:expr, $from:expr;)*) => {
        $(impl Column for $type {
            const SQL: &'static str = <$inner as Column>::SQL;
            fn to_value(&self) -> Value {
                let to: fn(&Self) -> $inner = $to;
                to(self).to_value()
            }
            fn from_value(value: Value) -> Option<Self> {
                let from: fn($inner) -> Self = $from;
                <$inner>::from_value(value).map(from)
            }
        })*
    };
}

columns! {
    MicroUsdc as u64: |x| x.0, Self;
    Price as u64: |x| x.0, Self;
    ComputeUnits as u64: |x| x.0, Self;
    TimestampMs as u64: |x| x.0, Self;
    DurationMs as u64: |x| x.0, Self;
    Address as [u8; 32]: |x| x.into_inner(), Self::new;
    NodeId as [u8; 32]: |x| x.0.into_inner(), |x| Self(Address::new(x));
    TaskId as [u8; 32]: |x| x.0.into_inner(), |x| Self(Address::new(x));
    StackId as [u8; 32]: |x| x.0.into_inner(), |x| Self(Address::new(x));
    PublicKey as [u8; 32]: |x| x.0, Self;
    SealingKey as [u8; 32]: |x| x.0, Self;
    Hash32 as [u8; 32]: |x| x.0, Self;
    BlobId as [u8; 32]: |x| x.0, Self;
    NetworkId as [u8; 32]: |x| x.0, Self;
}

/// Types of the chain that no query looks into: JSON text, as their serde has it.
macro_rules! json_columns {
    ($($type:ty),* $(,)?) => {
        $(impl Column for $type {
            const SQL: &'static str = "TEXT NOT NULL";
            fn to_value(&self) -> Value {
                // enums and structs of integers and text: JSON can't refuse them
                Value::Text(serde_json::to_string(self).expect("a column is JSON"))
            }
            fn from_value(value: Value) -> Option<Self> {
                serde_json::from_str(&String::from_value(value)?).ok()
            }
        })*
    };
}

json_columns! {
    atoma_types::chain::NodeStatus,
    atoma_types::chain::Charge,
    atoma_types::UnitWeights,
    atoma_types::EngineClass,
    Vec<NodeId>,
    Vec<super::rows::Demand>,
}

macro_rules! name_columns {
    ($($type:ty),*) => {
        $(impl Column for $type {
            const SQL: &'static str = "TEXT NOT NULL";
            fn to_value(&self) -> Value {
                Value::Text(self.as_str().to_owned())
            }
            fn from_value(value: Value) -> Option<Self> {
                String::from_value(value)?.parse().ok()
            }
        })*
    };
}

name_columns!(Role, SecurityLevel);
