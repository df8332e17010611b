//! A table is declared once; the struct, the SQL column, the API's metadata
//! and the form's label all come from that declaration.

use std::marker::PhantomData;

use crate::option_set::OptionSet;
use crate::value::Value;

/// The declaration of a table.
#[derive(Debug)]
pub struct Table {
    /// Logical name, also the SQL table's name: `mailbox`.
    pub logical: &'static str,
    /// Entity set on the wire: `mailboxes`.
    pub set: &'static str,
    /// Schema name as it stands in privileges and relationships: `Mailbox`.
    pub schema: &'static str,
    /// Primary key column: `mailboxid`.
    pub id: &'static str,
    /// Primary name column.
    pub name: Option<&'static str>,
    /// Object type code.
    pub code: i32,
    pub ownership: Ownership,
    /// Whether the Web API shows it.
    pub on_wire: bool,
    /// Whether clients may follow its changes: what is deleted leaves a mark.
    pub tracked: bool,
    pub columns: &'static [Column],
    /// Collection-valued navigation properties (1:N): which table points here by which column.
    pub children: &'static [Child],
    /// Collection-valued navigation properties through a table of pairs (N:N).
    pub links: &'static [Link],
    /// Columns by whose values a row can be named in a URL.
    pub keys: &'static [AlternateKey],
    /// The texts that are searched for words, which an index knows.
    pub words: &'static [&'static str],
    /// Whether the rows are activities: what all of those have in common is
    /// read through `activitypointer`.
    pub activity: bool,
}

/// Columns that name a row together. The values need not be unique: a name
/// that fits several rows is refused where it is used.
#[derive(Debug, Clone, Copy)]
pub struct AlternateKey {
    /// The key's own name: `emailaddress1`.
    pub name: &'static str,
    pub label: &'static str,
    pub columns: &'static [&'static str],
}

/// A key of one column, with the column's name.
pub const fn key(columns: &'static [&'static str; 1], label: &'static str) -> AlternateKey {
    AlternateKey { name: columns[0], label, columns }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// `ownerid` and `owningbusinessunit`.
    UserOrTeam,
    Organization,
    /// Follows its parent (parties, attachments, queue items).
    Parent,
}

/// A collection-valued navigation property.
#[derive(Debug, Clone, Copy)]
pub struct Child {
    /// Navigation property: `email_activity_parties`.
    pub nav: &'static str,
    /// Logical name of the table whose rows it lists.
    pub table: &'static str,
    /// The lookup column of that table that points back.
    pub column: &'static str,
}

/// A navigation property to the rows that pairs connect with this one:
/// `systemuserroles_association`.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub nav: &'static str,
    /// The table of the pairs.
    pub through: &'static str,
    /// Its lookup that points here.
    pub here: &'static str,
    /// Its lookup that points to the other side.
    pub there: &'static str,
    /// The other side.
    pub table: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Logical name, also the SQL column's name.
    pub name: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    pub access: Access,
    pub required: bool,
    pub default: Default,
}

/// What a column holds when a new row does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    Null,
    Bool(bool),
    Int(i64),
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Bool,
    Int {
        min: i64,
        max: i64,
    },
    BigInt,
    /// One line of text; at most so many characters.
    Text {
        max: usize,
    },
    /// An email address.
    Email {
        max: usize,
    },
    /// Text of any length.
    Memo,
    /// A choice, its state or its status.
    Choice(&'static OptionSet),
    Time,
    /// A row of one of these tables.
    Lookup(&'static [&'static str]),
    Id,
    /// Sealed by the store and never read back; `flag` is the companion
    /// `is…set` column that tells whether a value is stored.
    Secret {
        max: usize,
        flag: &'static str,
    },
    /// Bytes that never reach the wire.
    Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    /// Settable when the row is made and never after.
    Create,
    /// Maintained by the server; ignored in a payload.
    Read,
    /// Never returned.
    Write,
    /// Not on the wire at all.
    Internal,
}

/// Columns that every table on the wire has and the store maintains.
pub const SYSTEM: &[Column] = &[
    time("createdon", "Created On").read(),
    lookup("createdby", "Created By", &["systemuser"]).read(),
    time("modifiedon", "Modified On").read(),
    lookup("modifiedby", "Modified By", &["systemuser"]).read(),
    // Counts up over the whole database with every write; it is the ETag.
    Column {
        name: "versionnumber",
        label: "Version Number",
        kind: Kind::BigInt,
        access: Access::Read,
        required: false,
        default: Default::Null,
    },
];

/// A table is its logical name; there is one declaration for each.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.logical == other.logical
    }
}

impl Table {
    /// All columns but the primary key: those the declaration lists, then, for
    /// tables on the wire, the system ones.
    pub fn all_columns(&self) -> impl Iterator<Item = &'static Column> {
        let system: &'static [Column] = if self.on_wire { SYSTEM } else { &[] };
        self.columns.iter().chain(system)
    }

    /// The many-to-many navigation property of this name.
    pub fn link(&self, nav: &str) -> Option<&'static Link> {
        self.links.iter().find(|l| l.nav.eq_ignore_ascii_case(nav))
    }

    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.all_columns().find(|c| c.name == name)
    }

    /// The name of a lookup's navigation property: the column's own where it
    /// has one target, `column_target` where it has several (and
    /// `regardingobjectid_account_email` on an activity).
    pub fn nav(&self, column: &Column, target: &str) -> String {
        match column.kind {
            // Elsewhere it may be a plug-in, which we do not have.
            Kind::Lookup(_) if column.name == "eventhandler" => format!("{}_{target}", column.name),
            Kind::Lookup(targets) if targets.len() > 1 && column.name != "ownerid" => {
                if column.name == "regardingobjectid" && self.activity {
                    format!("{}_{target}_{}", column.name, self.logical)
                } else {
                    format!("{}_{target}", column.name)
                }
            }
            _ => column.name.to_owned(),
        }
    }
}

/// A column together with the Rust type of its field.
pub struct Col<T> {
    pub name: &'static str,
    marker: PhantomData<fn() -> T>,
}

impl<T> Col<T> {
    pub const fn new(name: &'static str) -> Self {
        Self { name, marker: PhantomData }
    }
}

impl<T> Clone for Col<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Col<T> {}

const fn column(name: &'static str, label: &'static str, kind: Kind) -> Column {
    Column { name, label, kind, access: Access::ReadWrite, required: false, default: Default::Null }
}

/// A yes-or-no column; `No` unless told otherwise.
pub const fn flag(name: &'static str, label: &'static str) -> Column {
    Column { default: Default::Bool(false), ..column(name, label, Kind::Bool) }
}
pub const fn int(name: &'static str, label: &'static str, min: i64, max: i64) -> Column {
    column(name, label, Kind::Int { min, max })
}
pub const fn bigint(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::BigInt)
}
pub const fn text(name: &'static str, label: &'static str, max: usize) -> Column {
    column(name, label, Kind::Text { max })
}
pub const fn email(name: &'static str, label: &'static str, max: usize) -> Column {
    column(name, label, Kind::Email { max })
}
pub const fn memo(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Memo)
}
/// A choice; the option that the set lists first unless told otherwise.
pub const fn choice(name: &'static str, label: &'static str, set: &'static OptionSet) -> Column {
    Column { default: Default::Int(set.options[0].value as i64), ..column(name, label, Kind::Choice(set)) }
}
/// A choice that may be left open.
pub const fn open_choice(name: &'static str, label: &'static str, set: &'static OptionSet) -> Column {
    column(name, label, Kind::Choice(set))
}
pub const fn time(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Time)
}
pub const fn lookup(name: &'static str, label: &'static str, targets: &'static [&'static str]) -> Column {
    column(name, label, Kind::Lookup(targets))
}
pub const fn id(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Id)
}
pub const fn bytes(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Bytes).internal()
}
/// A write-only column whose value the store seals.
pub const fn secret(name: &'static str, label: &'static str, max: usize, flag: &'static str) -> Column {
    Column { access: Access::Write, ..column(name, label, Kind::Secret { max, flag }) }
}

impl Column {
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }
    #[must_use]
    pub const fn read(self) -> Self {
        Self { access: Access::Read, ..self }
    }
    #[must_use]
    pub const fn on_create(self) -> Self {
        Self { access: Access::Create, ..self }
    }
    #[must_use]
    pub const fn internal(self) -> Self {
        Self { access: Access::Internal, ..self }
    }
    /// `Yes` unless told otherwise.
    #[must_use]
    pub const fn yes(self) -> Self {
        Self { default: Default::Bool(true), ..self }
    }
    #[must_use]
    pub const fn or(self, default: i64) -> Self {
        Self { default: Default::Int(default), ..self }
    }
    pub fn default_value(&self) -> Value {
        match self.default {
            Default::Null => Value::Null,
            Default::Bool(b) => Value::Bool(b),
            Default::Int(n) => Value::Int(n),
        }
    }
}

/// Declares a table: the fields the program uses, then under `also` the
/// columns that only the API and the pages know.
///
/// Gives the struct with `id` and the fields, the struct of typed columns
/// (`Mailbox::C.incoming`), and [`crate::Entity`] with the conversions. A
/// secret belongs under `also`: it is never read.
#[macro_export]
macro_rules! table {
    ($(#[$doc:meta])* pub struct $name:ident, $cols:ident: $def:expr; {
        $($(#[$fdoc:meta])* $field:ident: $ty:ty = $column:expr,)*
    } also { $($extra:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            pub id: $crate::Id,
            $($(#[$fdoc])* pub $field: $ty,)*
        }

        #[doc = concat!("The typed columns of [`", stringify!($name), "`].")]
        pub struct $cols { $(pub $field: $crate::Col<$ty>,)* }

        impl $name {
            pub const C: $cols = $cols { $($field: { const COLUMN: $crate::Column = $column; $crate::Col::new(COLUMN.name) },)* };
        }

        impl $crate::Entity for $name {
            const TABLE: &'static $crate::Table = &$crate::Table { columns: &[$($column,)* $($extra,)*], ..$def };

            fn blank(id: $crate::Id) -> Self {
                Self { id, $($field: {
                    const COLUMN: $crate::Column = $column;
                    <$ty as $crate::value::ColumnType>::from_value(&COLUMN.default_value()).unwrap_or_default()
                },)* }
            }

            fn id(&self) -> $crate::Id { self.id }

            fn from_record(record: &$crate::Record) -> Result<Self, $crate::record::WrongType> {
                Ok(Self { id: record.id, $($field: record.typed(Self::C.$field)?,)* })
            }

            fn into_record(self) -> $crate::Record {
                let mut record = $crate::Record::new(Self::TABLE, self.id);
                $(record.put(Self::C.$field, self.$field);)*
                record
            }
        }
    };
}

/// What most declarations start from.
pub const BLANK: Table = Table {
    logical: "",
    set: "",
    schema: "",
    id: "",
    name: None,
    code: 0,
    ownership: Ownership::Organization,
    on_wire: true,
    tracked: false,
    columns: &[],
    children: &[],
    keys: &[],
    words: &[],
    activity: false,
    links: &[],
};
