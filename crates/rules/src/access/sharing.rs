//! Sharing one row with somebody: which rights, and who may give them.

use model::{Refusal, Table, words};

use super::{Anchor, Principal, Right, RowFacts, anchor, may, refusals};

/// `AccessRights` as the Web API writes them: `ReadAccess, WriteAccess`, in
/// the order of their bits.
pub fn names(mask: i64) -> String {
    let mut held: Vec<Right> = Right::ALL.into_iter().filter(|r| mask & r.bit() != 0).collect();
    held.sort_by_key(|r| r.bit());
    if held.is_empty() {
        return "None".to_owned();
    }
    held.into_iter().map(Right::access_name).collect::<Vec<_>>().join(", ")
}

/// Reads `ReadAccess, WriteAccess`.
pub fn mask(names: &str) -> Result<i64, Refusal> {
    let mut mask = 0;
    for name in names.split(',').map(str::trim).filter(|n| *n != "None") {
        let Some(right) = Right::ALL.into_iter().find(|r| r.access_name() == name) else {
            let all: Vec<String> = Right::ALL.into_iter().map(Right::access_name).collect();
            let message = words!("AccessMask takes these names, with commas between them: {0}.", all.join(", "));
            return Err(Refusal::invalid(Some("AccessMask"), message));
        };
        mask |= right.bit();
    }
    Ok(mask)
}

/// What the principal may do with the row, roles and shares together.
pub fn rights(principal: &Principal, table: &'static Table, row: &RowFacts) -> i64 {
    // A row that follows another one has no owner to change.
    let child = matches!(anchor(table), Anchor::Parent { .. });
    let own = |right: &Right| !(child && matches!(right, Right::Assign | Right::Share));
    let held = Right::ALL.into_iter().filter(own).filter(|right| may(principal, *right, table, row).is_ok());
    held.map(Right::bit).sum()
}

/// May the principal give these rights to the row to somebody? It takes Share
/// on the row, and each of the rights themselves.
pub fn may_give(principal: &Principal, table: &'static Table, row: &RowFacts, given: i64) -> Result<(), Refusal> {
    may(principal, Right::Share, table, row)?;
    if given & Right::Create.bit() != 0 {
        let message = words!("CreateAccess is about rows that are not there yet and cannot be shared.");
        return Err(Refusal::invalid(Some("AccessMask"), message));
    }
    let missing = given & !rights(principal, table, row);
    if missing == 0 {
        return Ok(());
    }
    Err(refusals::more_than_own(principal, words!("{0} to this {1}", names(missing), table.logical)))
}

#[cfg(test)]
mod tests {
    use model::tables::Account;
    use model::{Entity, Id, Ref};

    use super::*;
    use crate::access::{Depth, Tree};

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(mask(text).ok().map(names).as_deref(), expected, "{text}");
    }

    #[test]
    fn written_in_the_order_of_the_bits() {
        check("WriteAccess,ReadAccess", Some("ReadAccess, WriteAccess"));
        check("AssignAccess, ShareAccess, DeleteAccess", Some("DeleteAccess, ShareAccess, AssignAccess"));
    }
    #[test]
    fn nothing() {
        check("None", Some("None"));
    }
    #[test]
    fn unknown_names() {
        check("", None);
        check("Read", None);
        check("ReadAccess; WriteAccess", None);
        check("ReadAccess,,WriteAccess", None);
        check("readaccess", None);
    }

    const ANN: Id = Id::from_u128(1);
    const BOB: Id = Id::from_u128(2);

    fn ann(privileges: &[&str]) -> Principal {
        let mut ann = Principal::new(ANN, "ann");
        ann.roles.insert(Id::from_u128(9));
        for name in privileges {
            ann.grant(name, Depth::Basic, None, &Tree::new());
        }
        ann
    }

    fn of(owner: Id, shares: &[(Id, i64)]) -> RowFacts {
        let user = |id| Ref::new("systemuser", id);
        let shares = shares.iter().map(|(who, mask)| (user(*who), *mask)).collect();
        RowFacts { owner: Some(user(owner)), unit: None, shares }
    }

    #[track_caller]
    fn gives(principal: &Principal, row: &RowFacts, what: &str, expected: Result<(), u32>) {
        let found = may_give(principal, Account::TABLE, row, mask(what).unwrap());
        assert_eq!(found.map_err(|r| r.code), expected, "{what}");
    }

    const READS: &[&str] = &["prvReadAccount", "prvShareAccount"];

    #[test]
    fn what_one_has() {
        gives(&ann(READS), &of(ANN, &[]), "ReadAccess", Ok(()));
    }
    #[test]
    fn more_than_one_has() {
        gives(&ann(READS), &of(ANN, &[]), "ReadAccess, WriteAccess", Err(0x8004_020D));
    }
    #[test]
    fn without_share() {
        gives(&ann(&["prvReadAccount"]), &of(ANN, &[]), "ReadAccess", Err(0x8004_0220));
    }
    #[test]
    fn rows_of_others() {
        gives(&ann(READS), &of(BOB, &[]), "ReadAccess", Err(0x8004_0220));
    }
    #[test]
    fn passed_on() {
        let share = Right::Share.bit() | Right::Read.bit();
        gives(&ann(READS), &of(BOB, &[(ANN, share)]), "ReadAccess", Ok(()));
        gives(&ann(READS), &of(BOB, &[(ANN, Right::Read.bit())]), "ReadAccess", Err(0x8004_0220));
    }
    #[test]
    fn create_is_never_shared() {
        let all = ["prvReadAccount", "prvShareAccount", "prvCreateAccount"];
        gives(&ann(&all), &of(ANN, &[]), "CreateAccess", Err(model::Refusal::invalid(None, model::words!("")).code));
    }
    #[test]
    fn rights_of_roles_and_shares() {
        let ann = ann(&["prvReadAccount", "prvWriteAccount", "prvCreateAccount"]);
        assert_eq!(names(rights(&ann, Account::TABLE, &of(ANN, &[]))), "ReadAccess, WriteAccess, CreateAccess");
        assert_eq!(names(rights(&ann, Account::TABLE, &of(BOB, &[(ANN, 3)]))), "ReadAccess, WriteAccess");
        assert_eq!(names(rights(&ann, Account::TABLE, &of(BOB, &[]))), "None");
    }
}
