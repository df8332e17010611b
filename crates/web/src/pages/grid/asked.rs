//! How a list is looked at, as it stands in its address: view, quick find,
//! order, columns, what it is narrowed to, page.

use formats::fetchxml::{Condition, Conditions, MOST_CONDITIONS};
use model::Id;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::pages::kit::Form;

/// What stays as it is in a query string.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':').remove(b',');
/// Characters of a quick find.
const LONGEST_FIND: usize = 200;
/// Columns that a list is sorted by at most.
pub(crate) const SORTED: usize = 2;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub view: Option<Id>,
    pub find: String,
    /// Columns, and whether they count down; the first counts most.
    pub sort: Vec<(String, bool)>,
    pub columns: Vec<String>,
    /// Column and value.
    pub only: Vec<(String, String)>,
    /// Conditions in the place of the view's.
    pub filter: Option<Conditions>,
    /// From 1.
    pub page: u64,
}

impl Asked {
    pub fn read(form: &Form) -> Self {
        let mut sort: Vec<(String, bool)> = Vec::new();
        for text in form.text("sort").split(',').map(str::trim) {
            let (column, descending) = text.strip_prefix('-').map_or((text, false), |column| (column, true));
            if !column.is_empty() && sort.len() < SORTED && !sort.iter().any(|(known, _)| known == column) {
                sort.push((column.to_owned(), descending));
            }
        }
        let mut columns = Vec::new();
        for name in form.all("columns").flat_map(|text| text.split(',')).map(str::trim).filter(|n| !n.is_empty()) {
            if !columns.iter().any(|c| c == name) && columns.len() < formats::fetchxml::layout::MOST {
                columns.push(name.to_owned());
            }
        }
        let only = form.all("only").filter_map(|text| text.split_once(':'));
        Self {
            view: form.id("view"),
            find: form.get("find").map(|f| f.chars().take(LONGEST_FIND).collect()).unwrap_or_default(),
            sort,
            columns,
            only: only.map(|(column, value)| (column.to_owned(), value.to_owned())).collect(),
            filter: form.has("where").then(|| Conditions {
                list: form.all("where").filter_map(condition).take(MOST_CONDITIONS).collect(),
                any: form.text("any") == "1",
            }),
            page: form.get("page").and_then(|p| p.parse().ok()).filter(|n| *n > 0).unwrap_or(1),
        }
    }

    /// As fields of a form.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        pairs.extend(self.view.map(|id| ("view", id.to_string())));
        if !self.find.is_empty() {
            pairs.push(("find", self.find.clone()));
        }
        if !self.sort.is_empty() {
            let one = |(column, down): &(String, bool)| format!("{}{column}", if *down { "-" } else { "" });
            pairs.push(("sort", self.sort.iter().map(one).collect::<Vec<_>>().join(",")));
        }
        if !self.columns.is_empty() {
            pairs.push(("columns", self.columns.join(",")));
        }
        pairs.extend(self.only.iter().map(|(column, value)| ("only", format!("{column}:{value}"))));
        if let Some(filter) = &self.filter {
            if filter.list.is_empty() {
                pairs.push(("where", String::new()));
            }
            pairs.extend(filter.list.iter().map(|c| ("where", written(c))));
            if filter.any {
                pairs.push(("any", "1".to_owned()));
            }
        }
        if self.page > 1 {
            pairs.push(("page", self.page.to_string()));
        }
        pairs
    }

    pub fn link(&self, path: &str) -> String {
        self.link_with(path, &[])
    }

    pub fn link_with(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut url = path.to_owned();
        let own = self.pairs();
        let all = own.iter().map(|(n, v)| (*n, v.as_str())).chain(more.iter().copied());
        for (n, (name, value)) in all.enumerate() {
            url.push(if n == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, PLAIN));
        }
        url
    }

    /// Whether anything is other than the view has it.
    pub fn is_changed(&self) -> bool {
        let narrowed = !self.find.is_empty() || !self.only.is_empty() || self.filter.is_some();
        narrowed || !self.sort.is_empty() || !self.columns.is_empty()
    }

    /// The same from the first page.
    #[must_use]
    pub fn first(&self) -> Self {
        Self { page: 1, ..self.clone() }
    }

    #[must_use]
    pub fn without_only(&self, column: &str) -> Self {
        let mut asked = self.first();
        asked.only.retain(|(name, _)| name != column);
        asked
    }
}

/// `column:operator:value`; the values of some operators have commas between.
fn condition(text: &str) -> Option<Condition> {
    let mut parts = text.splitn(3, ':');
    let (column, operator) = (parts.next()?, parts.next()?);
    let values = match parts.next() {
        None => Vec::new(),
        Some(many) if takes_many(operator) => many.split(',').map(str::to_owned).collect(),
        Some(one) => vec![one.to_owned()],
    };
    Some(Condition { column: column.to_owned(), operator: operator.to_owned(), values })
}

fn written(condition: &Condition) -> String {
    let mut text = format!("{}:{}", condition.column, condition.operator);
    if !condition.values.is_empty() {
        text.push(':');
        text.push_str(&condition.values.join(","));
    }
    text
}

fn takes_many(operator: &str) -> bool {
    matches!(operator, "in" | "not-in" | "between" | "not-between")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &str) {
        let form = Form::of(query).ok().unwrap();
        assert_eq!(Asked::read(&form).link("/x"), expected);
    }

    #[test]
    fn what_is_asked_stands_in_the_link() {
        check("", "/x");
        check("find=a+b&page=2&sort=-name", "/x?find=a%20b&sort=-name&page=2");
        check("columns=a&columns=b,a&page=1", "/x?columns=a,b");
        check("only=level:3&only=&only=owner:", "/x?only=level:3&only=owner:");
    }
    #[test]
    fn an_order_within_another_and_conditions() {
        check("sort=-a,b,c", "/x?sort=-a,b");
        check("sort=a,-a,b", "/x?sort=a,b");
        check("where=name:like:a:b,c&where=state:in:1,2&any=1", "/x?where=name:like:a:b,c&where=state:in:1,2&any=1");
        check("where=", "/x?where=");
        check("where=owner:eq-userid&where=nonsense", "/x?where=owner:eq-userid");
        let form = Form::of("where=state:in:1,2&where=name:eq:1,2").ok().unwrap();
        let list = Asked::read(&form).filter.unwrap().list;
        assert_eq!(list.iter().map(|c| c.values.len()).collect::<Vec<_>>(), [2, 1]);
    }
    #[test]
    fn what_makes_no_sense_is_left_out() {
        check("view=x&page=0&sort=&find=+&columns=,,", "/x");
        check("page=-1&other=1", "/x");
    }
    #[test]
    fn markup_is_encoded() {
        check("find=%22%3E%3Cscript%3E", "/x?find=%22%3E%3Cscript%3E");
    }
}
