//! Acting for somebody else: what both may do, on the other's rows.

use std::collections::BTreeSet;

use model::tables::AccessMode;

use super::{Depth, Principal, Reach};

/// `user` as `behind` acts for them: every privilege only as far as both
/// reach, always seen from the user who is acted for.
#[must_use]
pub fn acting_for(user: &Principal, behind: &Principal) -> Principal {
    let mut both = user.clone();
    both.behind = Some(behind.user);
    both.scopes.clone_from(&behind.scopes);
    both.access_mode = narrower(user.access_mode, behind.access_mode);
    both.disabled |= behind.disabled;
    both.administrator = user.administrator && behind.administrator;
    both.privileges.retain(|name, _| behind.reach(name).is_some());
    for (name, reach) in &mut both.privileges {
        if let Some(limit) = behind.reach(name) {
            *reach = narrowed(user, reach, limit.depth);
        }
    }
    if !behind.administrator {
        let theirs = &behind.fields;
        if user.administrator {
            both.fields.clone_from(theirs);
        } else {
            both.fields.retain(|column, _| theirs.contains_key(column));
        }
        for (column, rights) in &mut both.fields {
            let limit = theirs.get(column).copied().unwrap_or_default();
            rights.read &= limit.read;
            rights.create &= limit.create;
            rights.update &= limit.update;
        }
    }
    both
}

/// Whether everything that `other` may is within `own`: whoever decides how
/// somebody signs in can sign in as them. `rows`: that goes for the other's own
/// rows, too.
pub fn no_stronger(own: &Principal, other: &Principal, rows: bool) -> Result<(), &'static str> {
    if own.administrator || own.user == other.user {
        return Ok(());
    }
    if other.administrator {
        return Err("System Administrator");
    }
    if other.fields.iter().any(|(column, rights)| own.fields.get(column) != Some(rights)) {
        return Err("their field security");
    }
    for (name, theirs) in other.privileges() {
        let covered = own.reach(name).is_some_and(|reach| {
            let there = || reach.units.is_superset(&theirs.units);
            match theirs.depth {
                _ if reach.depth == Depth::Global => true,
                Depth::Basic if !rows => true,
                Depth::Basic => other.unit.is_some_and(|unit| reach.units.contains(&unit)),
                depth => reach.depth >= depth && there(),
            }
        });
        if !covered {
            return Err(name);
        }
    }
    Ok(())
}

/// The access mode that leaves less.
fn narrower(user: AccessMode, behind: AccessMode) -> AccessMode {
    for mode in [AccessMode::Read, AccessMode::Administrative] {
        if user == mode || behind == mode {
            return mode;
        }
    }
    user
}

fn narrowed(user: &Principal, reach: &Reach, limit: Depth) -> Reach {
    if limit >= reach.depth {
        return reach.clone();
    }
    let within: BTreeSet<_> = match limit {
        Depth::Basic | Depth::Global => BTreeSet::new(),
        Depth::Local => user.unit.into_iter().collect(),
        Depth::Deep => user.subtree.clone(),
    };
    let units = match reach.depth {
        // Of everything, what is near.
        Depth::Global => within,
        _ => reach.units.intersection(&within).copied().collect(),
    };
    Reach { depth: limit, units }
}
