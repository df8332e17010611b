//! Why a request of a person is refused: which field, which rule, what to do.

use std::fmt;

use crate::{Words, words};

/// One fault of a request. Several are reported together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Dataverse's error code, e.g. `0x8005E212`.
    pub code: u32,
    /// Its name, e.g. `ForwardMailboxUnexpectedIncomingDeliveryMethod`.
    pub name: &'static str,
    /// The column's logical name, where one is at fault.
    pub field: Option<&'static str>,
    /// What is wrong and what to do about it, in plain words: made with
    /// [`words!`], so that the pages can say it in the reader's language.
    pub message: Words,
}

impl Refusal {
    /// `ObjectDoesNotExist`
    pub const ABSENT: u32 = 0x8004_0217;

    pub fn new(code: u32, name: &'static str, message: Words) -> Self {
        Self { code, name, field: None, message }
    }
    #[must_use]
    pub fn at(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// 0x80040217
    pub fn does_not_exist(table: &str, id: impl fmt::Display) -> Self {
        let message = words!("Entity '{0}' With Id = {1} Does Not Exist", table, id);
        Self::new(Self::ABSENT, "ObjectDoesNotExist", message)
    }
    /// 0x80040203
    pub fn invalid(field: Option<&'static str>, message: Words) -> Self {
        Self { code: 0x8004_0203, name: "InvalidArgument", field, message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "{} ({}, 0x{:08X})", self.message, self.name, self.code)
    }
}

/// At least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals(pub Vec<Refusal>);

impl Refusals {
    /// Nothing to refuse, or everything at once.
    pub fn unless_none(faults: Vec<Refusal>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }

    pub fn codes(&self) -> Vec<u32> {
        self.0.iter().map(|refusal| refusal.code).collect()
    }
}

impl From<Refusal> for Refusals {
    fn from(one: Refusal) -> Self {
        Self(vec![one])
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, refusal) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{refusal}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusals {}
