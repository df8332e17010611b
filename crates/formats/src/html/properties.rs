//! Which properties of a style are kept, and which values.

/// Properties that are kept, in order. Not those that let a text reach beyond
/// its box (`overflow-wrap`, `table-layout`): it would lie upon its neighbours,
/// and a link that nobody sees upon one that everybody reads.
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
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
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
            // A line that may not be broken leaves its box.
            "white-space" => !matches!(word.as_str(), "nowrap" | "pre"),
            _ => !word.contains("expression") && !word.contains("javascript"),
        }
}

/// Negative distances move things over others, and lines without height lie
/// upon each other. `unit`: none for numbers and parts of a whole.
pub(super) fn measure_allowed(property: &str, value: f32, unit: &str) -> bool {
    let absolute = matches!(unit.to_ascii_lowercase().as_str(), "px" | "pt");
    let least = match property {
        // Letters may stand closer, but not go back.
        "letter-spacing" | "word-spacing" if absolute => -2.0,
        "letter-spacing" | "word-spacing" => -0.1,
        "vertical-align" => -20.0,
        "line-height" if absolute => 8.0,
        "line-height" => 0.75,
        _ => 0.0,
    };
    value.is_finite() && value <= LARGEST && value >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_sorted() {
        assert!(PROPERTIES.is_sorted());
    }
    #[test]
    fn nothing_goes_back_and_no_line_lies_upon_another() {
        assert!(measure_allowed("letter-spacing", -0.5, "px") && measure_allowed("letter-spacing", -0.02, "em"));
        assert!(!measure_allowed("letter-spacing", -9.0, "px") && !measure_allowed("word-spacing", -2.0, "em"));
        assert!(measure_allowed("line-height", 1.2, "") && measure_allowed("line-height", 18.0, "PX"));
        assert!(!measure_allowed("line-height", 0.0, "") && !measure_allowed("line-height", 1.0, "px"));
        assert!(!measure_allowed("margin-left", -1.0, "px") && !measure_allowed("width", 9000.0, "px"));
        assert!(!word_allowed("white-space", "NoWrap") && word_allowed("white-space", "pre-wrap"));
    }
}
