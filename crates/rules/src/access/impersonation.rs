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
