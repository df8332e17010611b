//! Which properties of a style are kept, and which values.

/// Properties that are kept, in order.
const PROPERTIES: &[&str] = &[
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-left-radius",
    "border-bottom-right-radius",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-left-radius",
    "border-top-right-radius",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-sizing",
    "caption-side",
    "clear",
    "color",
    "direction",
    "display",
    "empty-cells",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style",
    "list-style-position",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-decoration-color",
    "text-decoration-line",
    "text-decoration-style",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
    "word-wrap",
];

/// What a box may be. `contents`, `flex` and `grid` reorder; nobody's mail needs them.
const DISPLAYS: &[&str] = &[
    "block",
    "inline",
    "inline-block",
    "inline-table",
    "list-item",
    "none",
    "table",
    "table-caption",
    "table-cell",
    "table-column",
    "table-column-group",
    "table-footer-group",
    "table-header-group",
    "table-row",
    "table-row-group",
];

/// Functions that may stand in a value.
pub(super) const COLOURS: &[&str] = &["hsl", "hsla", "rgb", "rgba"];

/// What is wider or higher than this many units is no text.
const LARGEST: f32 = 4000.0;

/// Whether the property is kept at all.
pub(super) fn known(property: &str) -> bool {
    PROPERTIES.binary_search(&property).is_ok()
}

/// Whether a word may stand in the value of this property.
pub(super) fn word_allowed(property: &str, word: &str) -> bool {
    let plain =
        word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') || property.starts_with("font");
    let word = word.to_ascii_lowercase();
    plain
        && match property {
            "display" => DISPLAYS.contains(&word.as_str()),
            _ => !word.contains("expression") && !word.contains("javascript"),
        }
}

/// Negative distances move things over others.
pub(super) fn measure_allowed(property: &str, value: f32) -> bool {
    let negative = matches!(property, "letter-spacing" | "word-spacing" | "vertical-align");
    value.is_finite() && value <= LARGEST && (value >= 0.0 || (negative && value >= -20.0))
}

#[cfg(test)]
mod tests {
    use super::PROPERTIES;

    #[test]
    fn list_is_sorted() {
        assert!(PROPERTIES.is_sorted());
    }
}
