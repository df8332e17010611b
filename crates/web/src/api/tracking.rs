//! Following the changes of a table: a first reading of all its rows ends with
//! a delta link, which answers what has changed since and ends with another.

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Filter, Id, Query, Record, Table, Timestamp};
use serde_json::{Map, Value as Out, json};

use actions::changes::{self, Changed, Mark};

use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::list::{HIGHEST_COUNT, context, counted, page_size};
use crate::api::options::Asked;
use crate::api::{paging, respond, rows};

/// How the moment stands in a token: `08/22/2017 08:10:44`.
const MOMENT: &str = "%m/%d/%Y %H:%M:%S";

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// The rows after the one with this id, of the first reading.
    AfterRow(Id),
    /// The changes above this version.
    AfterVersion(i64),
}

/// A page that is not the first: its number, where it begins, and the mark
/// that the delta link after the last one gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cookie {
    number: u64,
    start: Start,
    mark: Mark,
}

pub(crate) fn is_asked(call: &Call, asked: &Asked) -> bool {
    let goes_on = |token: &String| paging::attribute(token, "istracking") == Some("True");
    call.prefer.track_changes || asked.deltatoken.is_some() || asked.skiptoken.as_ref().is_some_and(goes_on)
}

/// `GET set` with `Prefer: odata.track-changes`, and a delta link.
pub(crate) async fn list(
    call: &Call,
    table: &'static Table,
    asked: &Asked,
    within: &Filter,
) -> Result<Response, ApiError> {
    refuse_options(asked, within)?;
    let delta = asked.deltatoken.as_deref().map(read_token).transpose()?;
    let cookie = match (&asked.skiptoken, delta) {
        (Some(token), _) => read_cookie(token)?,
        (None, Some(since)) => {
            let mark = changes::next(&call.ctx, table, since).await?;
            Cookie { number: 1, start: Start::AfterVersion(since.version), mark }
        }
        (None, None) => {
            // The mark first: what is written while the rows are read is a change.
            let mark = changes::mark(&call.ctx, table).await?;
            Cookie { number: 1, start: Start::AfterRow(Id::nil()), mark }
        }
    };
    if asked.skiptoken.is_some() {
        changes::check(&call.ctx, table, cookie.mark).await?;
    }
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), json!(format!("{}/$delta", context(call, table, asked))));
    let (values, next) = match cookie.start {
        Start::AfterRow(id) => {
            if asked.options.count {
                counted(call, &mut body, actions::count(&call.ctx, Query::table(table)).await?);
            }
            first_reading(call, table, asked, id).await?
        }
        Start::AfterVersion(after) => {
            if asked.options.count {
                counted(call, &mut body, changes::count(&call.ctx, table, after).await?);
            }
            changed(call, table, asked, (after, cookie.mark.version)).await?
        }
    };
    let (name, link) = match next {
        Some(start) => {
            let token = write_cookie(Cookie { number: cookie.number + 1, start, ..cookie });
            let link = paging::link(&call.origin, &call.path_and_query, &["skiptoken"], ("skiptoken", &token));
            ("@odata.nextLink", link)
        }
        None => {
            let token = write_token(cookie.mark);
            let without = ["skiptoken", "deltatoken"];
            let link = paging::link(&call.origin, &call.path_and_query, &without, ("deltatoken", &token));
            ("@odata.deltaLink", link)
        }
    };
    body.insert(name.to_owned(), json!(link));
    body.insert("value".to_owned(), Out::Array(values));
    Ok(respond::json(StatusCode::OK, &Out::Object(body)))
}

/// `GET set/$count?$deltatoken=…`
pub(crate) async fn count(
    call: &Call,
    table: &'static Table,
    asked: &Asked,
    within: &Filter,
) -> Result<Response, ApiError> {
    refuse_options(asked, within)?;
    let count = match &asked.deltatoken {
        Some(token) => {
            let since = read_token(token)?;
            changes::check(&call.ctx, table, since).await?;
            changes::count(&call.ctx, table, since.version).await?
        }
        None => {
            changes::mark(&call.ctx, table).await?;
            actions::count(&call.ctx, Query::table(table)).await?
        }
    };
    Ok(respond::text(StatusCode::OK, count.min(HIGHEST_COUNT).to_string()))
}

fn refuse_options(asked: &Asked, within: &Filter) -> Result<(), ApiError> {
    let options = &asked.options;
    let refused = [
        ("$filter", options.filter != Filter::All),
        ("$orderby", !options.order.is_empty()),
        ("$expand", !options.expand.is_empty()),
        ("$top", options.top.is_some()),
    ];
    if let Some((name, _)) = refused.iter().find(|(_, given)| *given) {
        let message = format!("The query option '{name}' cannot be used together with change tracking. Leave it out.");
        return Err(ApiError::bad_request(message));
    }
    if *within != Filter::All {
        let message = "Changes can only be followed of a whole table, not of the rows that belong to another row.";
        return Err(ApiError::bad_request(message));
    }
    Ok(())
}

async fn first_reading(
    call: &Call,
    table: &'static Table,
    asked: &Asked,
    after: Id,
) -> Result<(Vec<Out>, Option<Start>), ApiError> {
    let page = page_size(call, asked);
    let mut query = Query::table(table).limit(page + 1);
    query.select = rows::needed_for(table, asked);
    query.after = (!after.is_nil()).then(|| (Vec::new(), after));
    let mut records = actions::list(&call.ctx, query).await?;
    let more = records.len() > page;
    records.truncate(page);
    let next = records.last().filter(|_| more).map(|last| Start::AfterRow(last.id));
    let objects = rows::render(call, table, &records, asked).await?;
    Ok((objects.into_iter().map(Out::Object).collect(), next))
}

async fn changed(
    call: &Call,
    table: &'static Table,
    asked: &Asked,
    range: (i64, i64),
) -> Result<(Vec<Out>, Option<Start>), ApiError> {
    let select = rows::needed_for(table, asked);
    let changes = changes::since(&call.ctx, table, &select, range, page_size(call, asked)).await?;
    let records: Vec<Record> = changes
        .rows
        .iter()
        .filter_map(|row| match row {
            Changed::Row(record) => Some(record.clone()),
            Changed::Gone(_) => None,
        })
        .collect();
    let mut objects = rows::render(call, table, &records, asked).await?.into_iter();
    let context = call.context(&format!("#{}/$deletedEntity", table.set));
    let values = changes.rows.iter().filter_map(|row| match row {
        Changed::Row(_) => objects.next().map(Out::Object),
        Changed::Gone(id) => Some(json!({ "@odata.context": context, "id": id.to_string(), "reason": "deleted" })),
    });
    Ok((values.collect(), changes.next.map(Start::AfterVersion)))
}

/// `919042!08/22/2017 08:10:44`
fn write_token(mark: Mark) -> String {
    format!("{}!{}", mark.version, mark.at.strftime(MOMENT))
}

fn read_token(token: &str) -> Result<Mark, ApiError> {
    let bad = || ApiError::bad_request("The $deltatoken is not one that this server gave. Read the whole table again.");
    let (version, at) = token.split_once('!').ok_or_else(bad)?;
    let version = version.parse().ok().filter(|v| *v >= 0).ok_or_else(bad)?;
    let at = jiff::civil::DateTime::strptime(MOMENT, at).map_err(|_| bad())?;
    let at = jiff::tz::Offset::UTC.to_timestamp(at).map_err(|_| bad())?;
    Ok(Mark { version, at })
}

fn write_cookie(cookie: Cookie) -> String {
    let Cookie { number, start, mark } = cookie;
    let start = match start {
        Start::AfterRow(id) => json!({ "row": id.to_string() }),
        Start::AfterVersion(version) => json!({ "version": version }),
    };
    let inner = URL_SAFE_NO_PAD.encode(json!([start, mark.version, mark.at.as_second()]).to_string());
    format!("<cookie pagenumber=\"{number}\" pagingcookie=\"{inner}\" istracking=\"True\" />")
}

fn read_cookie(token: &str) -> Result<Cookie, ApiError> {
    unpacked(token)
        .ok_or_else(|| ApiError::bad_request("The $skiptoken is not one that this server gave for this query."))
}

fn unpacked(token: &str) -> Option<Cookie> {
    let number = paging::attribute(token, "pagenumber")?.parse().ok()?;
    let inner = URL_SAFE_NO_PAD.decode(paging::attribute(token, "pagingcookie")?).ok()?;
    let (start, version, at): (Out, i64, i64) = serde_json::from_slice(&inner).ok()?;
    let start = match (start.get("row"), start.get("version")) {
        (Some(row), None) => Start::AfterRow(Id::parse_str(row.as_str()?).ok()?),
        (None, Some(version)) => Start::AfterVersion(version.as_i64()?),
        _ => return None,
    };
    Some(Cookie { number, start, mark: Mark { version, at: Timestamp::from_second(at).ok()? } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        Mark { version: 919_042, at: "2017-08-22T08:10:44Z".parse().unwrap() }
    }

    #[test]
    fn a_token_looks_as_documented() {
        assert_eq!(write_token(mark()), "919042!08/22/2017 08:10:44");
        assert_eq!(read_token("919042!08/22/2017 08:10:44").unwrap(), mark());
    }

    #[test]
    fn a_cookie_round_trips() {
        for start in [Start::AfterRow(Id::from_u128(5)), Start::AfterVersion(7)] {
            let cookie = Cookie { number: 3, start, mark: mark() };
            assert_eq!(read_cookie(&write_cookie(cookie)).unwrap(), cookie);
        }
    }

    #[test]
    fn rubbish_is_refused() {
        for token in
            ["", "1", "!", "x!08/22/2017 08:10:44", "1!yesterday", "-1!08/22/2017 08:10:44", "1!13/45/2017 99:99:99"]
        {
            assert!(read_token(token).is_err(), "{token}");
        }
        for token in ["", "<cookie pagenumber=\"2\" pagingcookie=\"e30\" istracking=\"True\" />"] {
            assert!(read_cookie(token).is_err(), "{token}");
        }
    }
}
