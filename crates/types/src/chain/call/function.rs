//! One function: a struct for its arguments, and both directions of their encoding.

/// Functions of a package, as `Name = module::function { argument: Type => CodeIfInvalid, ... }`.
macro_rules! functions {
    ($package:ident {
        $($(#[$doc:meta])* $name:ident = $module:ident::$function:ident {
            $($(#[$fdoc:meta])* $field:ident: $type:ty $(=> $code:ident)?),* $(,)?
        })*
    }) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type),* }

        impl $name {
            /// The function, with its arguments as Move has them.
            pub const FUNCTION: $crate::chain::FunctionSpec = {
                use $crate::chain::{ArgKind, FunctionSpec, Package, call::field};
                const FIELDS: &[(&str, &[(&str, ArgKind)])] =
                    &[$((stringify!($field), <$type as field::Field>::ARGS)),*];
                const ARGS: [(&str, ArgKind); field::count(FIELDS)] = field::names(FIELDS);
                FunctionSpec {
                    package: Package::$package,
                    module: stringify!($module),
                    name: stringify!($function),
                    args: &ARGS,
                }
            };

            /// The arguments, in order.
            pub(in $crate::chain::call) fn args(&self) -> Vec<$crate::chain::CallArg> {
                let mut args = Vec::new();
                $($crate::chain::call::field::Field::encode(&self.$field, &mut args);)*
                args
            }

            /// Reads the arguments of a call of the function.
            pub(in $crate::chain::call) fn decode(
                args: Vec<$crate::chain::CallArg>,
            ) -> Result<Self, $crate::chain::CallError> {
                use $crate::chain::{AbortCode, CallError, call::field::Field};
                const FUNCTION: &str = concat!(stringify!($module), "::", stringify!($function));
                let (expected, got) = (Self::FUNCTION.args.len(), args.len());
                if got != expected {
                    return Err(CallError::WrongCount { function: FUNCTION, expected, got });
                }
                let mut args = args.into_iter();
                Ok(Self {
                    $($field: <$type as Field>::decode(&mut args).map_err(|error| {
                        const CODE: &[AbortCode] = &[$(AbortCode::$code)?];
                        error.of(stringify!($field), CODE.first().copied())
                    })?),*
                })
            }
        }
    )*};
}

pub(super) use functions;
