//! How a list is looked at, as it stands in its address: view, quick find,
//! order, columns, what it is narrowed to, page.

use model::Id;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::pages::kit::Form;

/// What stays as it is in a query string.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':').remove(b',');
/// Characters of a quick find.
const LONGEST_FIND: usize = 200;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub view: Option<Id>,
    pub find: String,
    /// Column, and whether it counts down.
    pub sort: Option<(String, bool)>,
    pub columns: Vec<String>,
    /// Column and value.
    pub only: Vec<(String, String)>,
    /// From 1.
    pub page: u64,
}

impl Asked {
    pub fn read(form: &Form) -> Self {
        let sort = form.get("sort").map(|text| match text.strip_prefix('-') {
            Some(column) => (column.to_owned(), true),
            None => (text.to_owned(), false),
        });
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
        if let Some((column, descending)) = &self.sort {
            pairs.push(("sort", format!("{}{column}", if *descending { "-" } else { "" })));
        }
        if !self.columns.is_empty() {
            pairs.push(("columns", self.columns.join(",")));
        }
        pairs.extend(self.only.iter().map(|(column, value)| ("only", format!("{column}:{value}"))));
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
        !self.find.is_empty() || self.sort.is_some() || !self.columns.is_empty() || !self.only.is_empty()
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
    fn what_makes_no_sense_is_left_out() {
        check("view=x&page=0&sort=&find=+&columns=,,", "/x");
        check("page=-1&other=1", "/x");
    }
    #[test]
    fn markup_is_encoded() {
        check("find=%22%3E%3Cscript%3E", "/x?find=%22%3E%3Cscript%3E");
    }
}
