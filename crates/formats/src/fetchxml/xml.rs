//! The XML of a query as a tree of elements. There is no DTD in it and no
//! entity but the five of XML itself, and it is as deep and as long as a
//! query may be: what is more is refused before it is read.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::FetchError;

/// Octets: twice what a URL may hold.
const LONGEST: usize = 64 * 1024;
const DEEPEST: usize = 32;
const MOST_ELEMENTS: usize = 5_000;
const MOST_ATTRIBUTES: usize = 32;

#[derive(Debug, Default, Clone)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Refuses attributes that are not among these.
    pub fn only(&self, known: &[&str]) -> Result<(), FetchError> {
        match self.attributes.iter().find(|(n, _)| !known.contains(&n.as_str())) {
            None => Ok(()),
            Some((name, _)) => Err(FetchError::xml(format!(
                "<{}> has no attribute '{}'. It has: {}.",
                self.name,
                crate::odata::excerpt(name),
                known.join(", ")
            ))),
        }
    }

    pub fn required(&self, name: &str) -> Result<&str, FetchError> {
        self.get(name)
            .filter(|v| !v.is_empty())
            .ok_or_else(|| FetchError::xml(format!("<{}> needs the attribute '{name}'.", self.name)))
    }

    /// `true`, `false`, 1 or 0; absent is false.
    pub fn flag(&self, name: &str) -> Result<bool, FetchError> {
        match self.get(name).unwrap_or("false") {
            "1" => Ok(true),
            "0" | "" => Ok(false),
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(FetchError::xml(format!("'{name}' of <{}> is true or false.", self.name))),
        }
    }

    /// One without attributes or children.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// The element as XML, without space between elements.
    pub fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, out);
            out.push('"');
        }
        if self.children.is_empty() && self.text.trim().is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        if self.children.is_empty() {
            escape(&self.text, out);
        }
        self.children.iter().for_each(|child| child.write(out));
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }

    /// The element is not among those that may stand here.
    pub fn unexpected(&self, inside: &str) -> FetchError {
        FetchError::xml(format!("<{}> cannot stand in <{inside}>.", crate::odata::excerpt(&self.name)))
    }
}

/// The root element of the text.
pub fn read(text: &str) -> Result<Element, FetchError> {
    if text.len() > LONGEST {
        return Err(FetchError::xml(format!("The query is longer than {LONGEST} octets.")));
    }
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|e| broken(at, &e.to_string()))?;
        if let Event::Start(_) | Event::Empty(_) = &event {
            count += 1;
            if count > MOST_ELEMENTS {
                return Err(FetchError::xml(format!("The query has more than {MOST_ELEMENTS} elements.")));
            }
            if open.len() >= DEEPEST {
                return Err(FetchError::xml("The query is nested too deeply."));
            }
            if open.is_empty() && root.is_some() {
                return Err(broken(at, "there is a second root element"));
            }
        }
        match event {
            Event::Start(start) => open.push(element(&start, at)?),
            Event::Empty(start) => close(element(&start, at)?, &mut open, &mut root),
            Event::End(_) => match open.pop() {
                Some(done) => close(done, &mut open, &mut root),
                None => return Err(broken(at, "an element ends that did not begin")),
            },
            Event::Text(text) => add(&text.xml10_content(), &mut open, at)?,
            Event::CData(text) => add(&text.xml10_content(), &mut open, at)?,
            Event::GeneralRef(entity) => {
                let text = match entity.resolve_char_ref().map_err(|e| broken(at, &e.to_string()))? {
                    Some(c) if is_character(c) => c.to_string(),
                    Some(_) => return Err(broken(at, "a reference to no character of XML")),
                    None => predefined(&entity.xml10_content())
                        .ok_or_else(|| broken(at, "entities other than XML's own are not supported"))?
                        .to_owned(),
                };
                add(&text, &mut open, at)?;
            }
            Event::DocType(_) => return Err(broken(at, "a document type is not supported")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match (open.last(), root) {
        (None, Some(root)) => Ok(root),
        (Some(open), _) => Err(broken(text.len() as u64, &format!("<{}> does not end", open.name))),
        (None, None) => Err(FetchError::xml("The query is empty: it needs a <fetch> element.")),
    }
}

/// Reading normalizes line breaks and tabs of attributes, so they are written
/// as references.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            c if is_character(c) => out.push(c),
            _ => {}
        }
    }
}

fn element(start: &BytesStart<'_>, at: u64) -> Result<Element, FetchError> {
    let mut element = Element { name: start.name().0.to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| broken(at, &e.to_string()))?;
        if element.attributes.len() >= MOST_ATTRIBUTES {
            return Err(broken(at, "an element has too many attributes"));
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| broken(at, &e.to_string()))?;
        if !value.chars().all(is_character) {
            return Err(broken(at, "a reference to no character of XML"));
        }
        element.attributes.push((attribute.key.0.to_owned(), value.into_owned()));
    }
    Ok(element)
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None => *root = Some(done),
    }
}

fn add(text: &str, open: &mut [Element], at: u64) -> Result<(), FetchError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().trim_start_matches('\u{FEFF}').is_empty() => {}
        None => return Err(broken(at, "there is text outside of the root element")),
    }
    Ok(())
}

fn predefined(name: &str) -> Option<&'static str> {
    Some(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    })
}

fn is_character(c: char) -> bool {
    !c.is_control() || matches!(c, '\t' | '\n' | '\r')
}

fn broken(at: u64, what: &str) -> FetchError {
    FetchError::xml(format!("Invalid XML at position {at}: {what}."))
}
