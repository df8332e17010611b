//! Which tables a question looks at: those whose rows the caller must be
//! allowed to see for the answer to tell them anything.

use std::collections::BTreeSet;

use crate::fetch::{Fetch, Link, Source};
use crate::query::{Filter, Path, Query};
use crate::table::{Kind, Table};
use crate::tables;

/// Logical names.
pub type Reached = BTreeSet<&'static str>;

impl Query {
    pub fn reached(&self) -> Reached {
        let mut out = Reached::from([self.table.logical]);
        self.filter.reach(self.table, &mut out);
        self.order.iter().for_each(|o| o.column.reach(self.table, &mut out));
        out
    }
}

impl Fetch {
    pub fn reached(&self) -> Reached {
        let mut out = Reached::new();
        self.root.reach(&mut out);
        out
    }

    /// The tables that are joined by name: one that may not be read at all is
    /// refused rather than shown as empty.
    pub fn joined(&self) -> Reached {
        self.sources().into_iter().map(|s| s.table.logical).collect()
    }
}

impl Source {
    fn reach(&self, out: &mut Reached) {
        out.insert(self.table.logical);
        self.filter.reach(self.table, out);
        self.links.iter().for_each(|l| l.source.reach(out));
    }
}

impl Filter {
    fn reach(&self, table: &'static Table, out: &mut Reached) {
        match self {
            Self::All => {}
            Self::Compare(path, ..)
            | Self::IsNull(path)
            | Self::In(path, _)
            | Self::Text(path, ..)
            | Self::Bits(path, _) => path.reach(table, out),
            Self::Within { path, table: other, filter, .. } => {
                path.reach(table, out);
                out.insert(other.logical);
                filter.reach(other, out);
            }
            Self::Columns(left, _, right) => {
                left.reach(table, out);
                right.reach(table, out);
            }
            Self::And(all) | Self::Or(all) => all.iter().for_each(|f| f.reach(table, out)),
            Self::Not(inner) => inner.reach(table, out),
            Self::Any { table, filter, .. } => {
                out.insert(table.logical);
                filter.reach(table, out);
            }
            // Named sources are reached where they are joined, and a path of
            // theirs is a column of their own.
            Self::Of(..) | Self::Across { .. } => {}
            Self::Linked(link) => Link::reach(link, out),
        }
    }
}

impl Link {
    fn reach(&self, out: &mut Reached) {
        self.source.reach(out);
    }
}

impl Path {
    /// Every table that the lookups can lead to.
    fn reach(&self, table: &'static Table, out: &mut Reached) {
        let mut here = vec![table];
        for lookup in &self.lookups {
            let columns = here.iter().filter_map(|t| t.column(lookup));
            let targets = columns.flat_map(|c| if let Kind::Lookup(targets) = c.kind { targets } else { &[] });
            here = targets.filter_map(|t| tables::by_logical_name(t)).collect();
            here.sort_unstable_by_key(|t| t.logical);
            here.dedup();
            out.extend(here.iter().map(|t| t.logical));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Compare;
    use crate::record::Entity as _;
    use crate::tables::{Attachment, Email, Mailbox};
    use crate::value::Value;

    fn check(filter: Filter, table: &'static Table, expected: &[&str]) {
        let query = Query::table(table).filter(filter);
        assert_eq!(query.reached().into_iter().collect::<Vec<_>>(), expected);
    }

    fn path(lookups: &[&'static str], column: &'static str) -> Path {
        Path { lookups: lookups.to_vec(), column }
    }

    #[test]
    fn own_column() {
        check(Filter::IsNull("name".into()), Mailbox::TABLE, &["mailbox"]);
    }
    #[test]
    fn behind_a_lookup() {
        let filter = Filter::IsNull(path(&["emailserverprofile"], "name"));
        check(filter, Mailbox::TABLE, &["emailserverprofile", "mailbox"]);
    }
    #[test]
    fn behind_a_lookup_of_several_targets() {
        let filter = Filter::Compare(path(&["ownerid"], "fullname"), Compare::Equal, Value::Null);
        check(filter, Mailbox::TABLE, &["mailbox", "systemuser", "team"]);
    }
    #[test]
    fn inside_not_and_a_lambda() {
        let inner = Filter::IsNull(path(&["queueid"], "name"));
        let any = Filter::Any { table: crate::tables::QueueItem::TABLE, column: "objectid", filter: Box::new(inner) };
        check(Filter::Not(Box::new(any)), Email::TABLE, &["email", "queue", "queueitem"]);
    }
    #[test]
    fn order() {
        let mut query = Query::table(Attachment::TABLE);
        query.order.push(crate::Order { column: path(&["objectid", "ownerid"], "fullname"), descending: false });
        assert!(query.reached().contains("email") && query.reached().contains("systemuser"));
    }
    #[test]
    fn linked() {
        let source = Source::of(Mailbox::TABLE, "m");
        let link = Link { kind: crate::fetch::LinkKind::Inner, from: "mailboxid", to: "mailboxid", source };
        check(Filter::Linked(Box::new(link)), Email::TABLE, &["email", "mailbox"]);
    }
}
