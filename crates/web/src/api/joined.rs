//! Lists of joined and reckoned rows: `fetchXml=`, `savedQuery=`,
//! `userQuery=`, `$apply=`, `sql=`. All of them ask the same question.

use axum::http::StatusCode;
use axum::response::Response;
use formats::fetchxml::{self, FetchError};
use formats::{odata, sql};
use model::fetch::{Fetched, HIGHEST_TOTAL, Pick, Source};
use model::tables::{SavedQuery, UserQuery};
use model::{Entity, Fetch, Id, Refusal, Table, Value};
use serde_json::{Map, Value as Out, json};

use crate::api::annotate::Annotator;
use crate::api::call::Call;
use crate::api::errors::ApiError;
use crate::api::{json_out, options, paging, respond};

/// Under this name the version of a row is read, for its ETag.
const ETAG: &str = "@odata.etag";

const COOKIE: &str = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie";
const MORE: &str = "Microsoft.Dynamics.CRM.morerecords";
const TOTAL: &str = "Microsoft.Dynamics.CRM.totalrecordcount";
const EXCEEDED: &str = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded";

/// What a URL asks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    FetchXml,
    SavedQuery,
    UserQuery,
    Apply,
    Sql,
}

const LANGUAGES: &[(&str, Language)] = &[
    ("fetchXml", Language::FetchXml),
    ("savedQuery", Language::SavedQuery),
    ("userQuery", Language::UserQuery),
    ("$apply", Language::Apply),
    ("sql", Language::Sql),
];

/// The language of a URL that asks for more than rows of one table, and the
/// option's value.
pub(crate) fn asked(call: &Call) -> Option<(Language, &str)> {
    call.query.iter().find_map(|(name, value)| {
        let language = LANGUAGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some((language.1, value.as_str()))
    })
}

/// `GET set?fetchXml=…`
pub(crate) async fn list(
    call: &Call,
    table: &'static Table,
    (language, text): (Language, &str),
) -> Result<Response, ApiError> {
    let token = alone(call, language)?;
    let asker = options::asker(call).await?;
    let mut fetch = match language {
        Language::FetchXml => fetchxml::read(text, &asker)?,
        Language::SavedQuery => fetchxml::read(&view(call, SavedQuery::TABLE, text, table).await?, &asker)?,
        Language::UserQuery => fetchxml::read(&view(call, UserQuery::TABLE, text, table).await?, &asker)?,
        Language::Sql => sql::read(text, &asker)?,
        Language::Apply => {
            let pairs: Vec<(&str, &str)> = call.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            odata::apply(table, &pairs, asker).map_err(|e| ApiError::bad_request(e.to_string()))?
        }
    };
    if fetch.root.table != table {
        let message = format!(
            "The query is for rows of {}, and the URL is that of {}. Send it to {}.",
            fetch.root.table.logical, table.set, fetch.root.table.set
        );
        return Err(ApiError::bad_request(message));
    }
    if let Some(size) = call.prefer.page_size {
        fetch.page.size = fetch.page.size.min(size);
    }
    place(&mut fetch, token)?;
    if fetch.is_plain() {
        identify(&mut fetch.root);
    }
    let found = actions::fetch(&call.ctx, fetch.clone()).await?;
    let body = body(call, &fetch, language, found).await?;
    Ok(respond::json(StatusCode::OK, &Out::Object(body)))
}

/// The query is the only thing that is asked for; the place in it that a
/// link to a next page names.
fn alone(call: &Call, language: Language) -> Result<Option<&str>, ApiError> {
    let mut token = None;
    let mut languages = 0;
    for (name, value) in &call.query {
        if LANGUAGES.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            languages += 1;
        } else if name.eq_ignore_ascii_case("$skiptoken") {
            token = Some(value.as_str());
        } else if name.starts_with('$')
            && !(language == Language::Apply && matches!(name.as_str(), "$orderby" | "$top"))
        {
            let (own, _) = LANGUAGES.iter().find(|(_, l)| *l == language).unwrap_or(&LANGUAGES[0]);
            return Err(ApiError::bad_request(format!(
                "The query option '{name}' cannot be used together with '{own}': say it in the query."
            )));
        }
    }
    if languages > 1 {
        return Err(ApiError::bad_request("A URL holds one of fetchXml, savedQuery, userQuery, $apply and sql."));
    }
    Ok(token)
}

/// The query of a view.
async fn view(call: &Call, views: &'static Table, text: &str, table: &'static Table) -> Result<String, ApiError> {
    let id = Id::parse_str(text.trim()).map_err(|_| {
        ApiError::bad_request(format!(
            "'{}' is not the id of a row of {}.",
            actions::validate::excerpt(text),
            views.set
        ))
    })?;
    let (query, of) = actions::view(&call.ctx, views, id).await?;
    if of != table.logical {
        let message = format!("The view is for rows of {of}, and the URL is that of {}.", table.set);
        return Err(ApiError::bad_request(message));
    }
    if query.is_empty() {
        return Err(ApiError::bad_request("The view has no FetchXML."));
    }
    Ok(query)
}

/// Where the page begins, as a link or a paging cookie of ours says.
fn place(fetch: &mut Fetch, token: Option<&str>) -> Result<(), ApiError> {
    let place = match (token, &fetch.page.cookie) {
        (Some(token), _) => Some(paging::place(token)?),
        (None, Some(cookie)) => Some(paging::cookie_place(cookie)?),
        (None, None) => None,
    };
    let Some((number, values)) = place else { return Ok(()) };
    if token.is_some() {
        fetch.page.number = number;
    } else if number != fetch.page.number {
        // From this place on comes another page than the one asked for.
        return Ok(());
    }
    if values.is_empty() || !fetch.is_plain() {
        return Ok(());
    }
    let keys = fetch.keys();
    let fits = keys.len() == values.len()
        && keys.iter().zip(&values).all(|((source, column, _), value)| {
            let path = model::query::Path::from(*column);
            value.is_null() || paging::fits(source.table, &path, value)
        });
    if !fits {
        return Err(ApiError::bad_request("The paging cookie is not one that this server gave for this query."));
    }
    fetch.page.after = Some(values);
    Ok(())
}

/// The primary key always comes, and the ETag.
fn identify(root: &mut Source) {
    let id = root.table.id;
    if !root.picks.iter().any(|p| p.name == id) {
        root.picks.insert(0, Pick::value(id, id));
    }
    if root.table.column("versionnumber").is_some() {
        root.picks.insert(0, Pick::value("versionnumber", ETAG));
    }
}

async fn body(call: &Call, fetch: &Fetch, language: Language, found: Fetched) -> Result<Map<String, Out>, ApiError> {
    let mut body = Map::new();
    let picks = fetch.picks();
    let names: Vec<&str> = picks.iter().map(|(_, p)| p.name.as_str()).filter(|n| *n != ETAG).collect();
    body.insert(
        "@odata.context".to_owned(),
        json!(call.context(&format!("#{}({})", fetch.root.table.set, names.join(",")))),
    );
    totals(call, fetch, &found, &mut body);
    if found.more {
        more(call, fetch, language, &found, &mut body);
    }
    let refs = found.rows.iter().flatten().filter_map(Value::as_ref_to).collect();
    let annotator = Annotator::of(&call.ctx, &call.prefer, refs).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        let mut object = Map::new();
        for ((source, pick), value) in picks.iter().zip(row) {
            if pick.name == ETAG {
                object.insert(ETAG.to_owned(), json!(format!("W/\"{}\"", value.as_int().unwrap_or(0))));
                continue;
            }
            object.insert(pick.name.clone(), json_out::value(value));
            annotator.pick(source, pick, value, &mut object);
        }
        rows.push(Out::Object(object));
    }
    body.insert("value".to_owned(), Out::Array(rows));
    Ok(body)
}

fn totals(call: &Call, fetch: &Fetch, found: &Fetched, body: &mut Map<String, Out>) {
    if fetch.total.is_none() && !call.prefer.wants(TOTAL) {
        return;
    }
    let total = found.total.map_or(json!(-1), |n| json!(n.min(HIGHEST_TOTAL)));
    let exceeded = found.total.is_some_and(|n| n > HIGHEST_TOTAL);
    for (name, value) in [(TOTAL, total), (EXCEEDED, json!(exceeded))] {
        if call.prefer.wants(name) {
            body.insert(format!("@{name}"), value);
        }
    }
}

fn more(call: &Call, fetch: &Fetch, language: Language, found: &Fetched, body: &mut Map<String, Out>) {
    let next = fetch.page.number + 1;
    let last = found.last.clone().unwrap_or_default();
    if language == Language::FetchXml {
        if call.prefer.wants(COOKIE) {
            let cookie = paging::fetch_cookie(next, found.last.as_deref());
            body.insert(format!("@{COOKIE}"), json!(cookie));
        }
        if call.prefer.wants(MORE) {
            body.insert(format!("@{MORE}"), json!(true));
        }
        return;
    }
    let link = paging::next_link(&call.origin, &call.path_and_query, next, &(last, Id::nil()));
    body.insert("@odata.nextLink".to_owned(), json!(link));
}

impl From<FetchError> for ApiError {
    fn from(error: FetchError) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            Refusal::new(error.kind.code(), error.kind.name(), model::Words::foreign(error.message)),
        )
    }
}
