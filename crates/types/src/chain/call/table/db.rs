//! What the administrator calls.

use crate::chain::call::{
    field::{AdminKind, DbKind, ObjectMut, Owned},
    function::functions,
};

functions! {
    Atoma {
        /// Sets one parameter within its bounds.
        SetParam = db::set_param {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The administrator's right.
            cap: Owned<AdminKind>,
            /// The parameter's name, one of [`Params::NAMES`](crate::chain::Params::NAMES).
            name: String,
            /// Its new value.
            value: u64,
        }
        /// Takes the floors away, for a network on which nothing is worth anything; only while nobody has registered.
        SetDevelopment = db::set_development {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The administrator's right.
            cap: Owned<AdminKind>,
        }
    }
}
