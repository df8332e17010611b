//! The names of the rows that lookups point to.

use std::collections::{BTreeMap, BTreeSet};

use actions::{ActionError, Context};
use model::{Filter, Id, Query, Ref, Value};

/// So many at once.
const AT_ONCE: usize = 500;

/// One query a table. A name that the caller may not see is left out.
pub(crate) async fn of(ctx: &Context, refs: BTreeSet<Ref>) -> Result<BTreeMap<Ref, String>, ActionError> {
    let mut names = BTreeMap::new();
    let mut wanted: BTreeMap<&'static str, BTreeSet<Id>> = BTreeMap::new();
    for target in refs {
        wanted.entry(target.table).or_default().insert(target.id);
    }
    for (table, ids) in wanted {
        let Some(table) = model::tables::by_logical_name(table) else { continue };
        let Some(name) = table.name else { continue };
        let ids: Vec<Value> = ids.into_iter().map(Value::Id).collect();
        for some in ids.chunks(AT_ONCE) {
            let mut query = Query::table(table);
            query.select = vec![name];
            query.filter = Filter::In(table.id.into(), some.to_vec());
            let found = match actions::list(ctx, query).await {
                Ok(found) => found,
                Err(ActionError::Refused(_)) => break,
                Err(error) => return Err(error),
            };
            for row in found {
                names.insert(row.reference(), row.get(name).as_text().unwrap_or("").to_owned());
            }
        }
    }
    Ok(names)
}
