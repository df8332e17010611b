//! Option sets: closed lists of numbered choices, as Dataverse has them.

/// The list behind a choice column.
#[derive(Debug)]
pub struct OptionSet {
    /// Global or local name, e.g. `mailbox_incomingemaildeliverymethod`.
    pub name: &'static str,
    pub options: &'static [OptionValue],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionValue {
    /// The number on the wire and in the database.
    pub value: i32,
    /// The label that people read.
    pub label: &'static str,
    /// For a status: the state it belongs to.
    pub state: Option<i32>,
}

impl OptionSet {
    pub fn label(&self, value: i64) -> Option<&'static str> {
        self.options.iter().find(|o| i64::from(o.value) == value).map(|o| o.label)
    }

    pub fn contains(&self, value: i64) -> bool {
        self.label(value).is_some()
    }
}

/// Declares an option set as an enum: `Variant = number "Label"`, and for a
/// status set the state after `in`. The documented default stands first.
#[macro_export]
macro_rules! option_set {
    ($(#[$doc:meta])* $vis:vis enum $name:ident: $wire:literal {
        $($(#[$vdoc:meta])* $variant:ident = $value:literal $label:literal $(in $state:literal)?),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name { $($(#[$vdoc])* $variant = $value),+ }

        impl $name {
            pub const OPTIONS: &'static $crate::option_set::OptionSet = &$crate::option_set::OptionSet {
                name: $wire,
                options: &[$($crate::option_set::OptionValue {
                    value: $value,
                    label: $label,
                    state: $crate::option_set!(@state $($state)?),
                }),+],
            };
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn from_number(number: i64) -> Option<Self> {
                match number { $($value => Some(Self::$variant),)+ _ => None }
            }
            pub const fn number(self) -> i64 { self as i64 }
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }
        }

        /// The option that is listed first.
        impl Default for $name {
            fn default() -> Self { Self::ALL[0] }
        }

        impl $crate::value::ColumnType for $name {
            fn into_value(self) -> $crate::value::Value { $crate::value::Value::Int(self.number()) }
            fn from_value(value: &$crate::value::Value) -> Option<Self> {
                Self::from_number(value.as_int()?)
            }
        }
    };
    (@state) => { None };
    (@state $state:literal) => { Some($state) };
}
