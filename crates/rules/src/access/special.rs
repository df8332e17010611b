//! Special privileges: whether they are held, and can be exercised with the
//! token and in the access mode at hand.

use model::Refusal;
use model::tables::AccessMode;

use super::{Principal, Right, RowFacts, Special, refusals, scopes};

impl Principal {
    /// Whether they have a special privilege, and use a token and an access
    /// mode with which it can be exercised.
    pub fn has(&self, special: Special) -> bool {
        self.may_special(special).is_ok()
    }

    /// Whether they have a special privilege that is not about single rows.
    pub fn may_special(&self, special: Special) -> Result<(), Refusal> {
        if self.disabled {
            return Err(refusals::disabled(self));
        }
        if self.scopes.as_ref().is_some_and(|s| s.read_only && !special.only_reads()) {
            return Err(scopes::read_only(special.name()));
        }
        if special.concerns_everything() && self.scopes.as_ref().is_some_and(|s| s.tables.is_some()) {
            return Err(scopes::some_tables(special.name()));
        }
        if self.access_mode == AccessMode::Read && !special.only_reads() {
            return Err(refusals::access_mode_special(self, special));
        }
        if self.privileges.contains_key(special.name()) {
            Ok(())
        } else {
            Err(refusals::missing_special(self, special))
        }
    }

    /// Whether a special privilege that has a depth reaches a row.
    pub fn special_covers(&self, special: Special, row: &RowFacts) -> bool {
        // Credentials are read, too; writing them takes Write on the row.
        let exercised = special == Special::ManageCredentials || self.has(special);
        exercised && self.reach(special.name()).is_some_and(|reach| self.covers(reach, row, Right::Write))
    }
}
