//! JSON as it was written: a property that stands twice is a fault, not a
//! silent choice between the two.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::api::errors::ApiError;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// A number that is not a whole one or does not fit into 64 bits.
    Float(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a payload. Nesting deeper than 128 levels is refused.
    pub fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        // A byte order mark is not JSON, but editors and shells add it.
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        serde_json::from_slice(bytes).map_err(|e| ApiError::bad_payload(format!("The payload is not valid JSON: {e}")))
    }

    /// Reads a payload that must be an object; an empty one is an empty object.
    pub fn read_object(bytes: &[u8]) -> Result<Vec<(String, Self)>, ApiError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Vec::new());
        }
        match Self::read(bytes)? {
            Self::Object(properties) => Ok(properties),
            _ => Err(ApiError::bad_payload("The payload must be a JSON object.")),
        }
    }
}

struct Visit;

impl<'de> Visitor<'de> for Visit {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }
    #[expect(clippy::cast_precision_loss, reason = "only shown to be refused")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Float(value as f64), Json::Int))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some((key, value)) = entries.next_entry::<String, Json>()? {
            if !seen.insert(key.clone()) {
                let name = actions::validate::excerpt(&key);
                return Err(de::Error::custom(format!("the property '{name}' stands twice")));
            }
            object.push((key, value));
        }
        Ok(Json::Object(object))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) {
        assert!(Json::read(text.as_bytes()).is_err(), "{text:.60}");
    }

    #[test]
    fn duplicate_keys() {
        refused(r#"{"a":1,"a":2}"#);
    }
    #[test]
    fn duplicate_keys_inside() {
        refused(r#"{"x":[{"a":1,"a":1}]}"#);
    }
    #[test]
    fn too_deep() {
        refused(&"[".repeat(100_000));
    }
    #[test]
    fn rubbish_behind() {
        refused("{} {}");
    }
    #[test]
    fn lone_surrogate() {
        refused(r#""\ud800""#);
    }
    #[test]
    fn order_is_kept() {
        let json = Json::read(br#"{"b":1,"a":-2.5}"#).unwrap();
        assert_eq!(json, Json::Object(vec![("b".into(), Json::Int(1)), ("a".into(), Json::Float(-2.5))]));
    }
    #[test]
    fn a_number_beyond_64_bits_is_no_whole_number() {
        assert!(matches!(Json::read(b"18446744073709551615").unwrap(), Json::Float(_)));
    }
    #[test]
    fn byte_order_mark() {
        assert_eq!(Json::read(b"\xEF\xBB\xBFtrue").unwrap(), Json::Bool(true));
    }
}
