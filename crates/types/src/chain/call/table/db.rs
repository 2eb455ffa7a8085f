//! What the administrator calls.

use crate::chain::call::{
    field::{AdminKind, DbKind, ObjectMut, Owned},
    function::functions,
};

functions! {
    Atoma {
        /// Sets a parameter by name.
        SetParam = db::set_param {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The admin's capability, which the sender must own.
            cap: Owned<AdminKind>,
            /// Name of the parameter.
            name: String,
            /// The value that it gets.
            value: u64,
        }
    }
}
