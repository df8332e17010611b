//! HTML and text of anybody's: what is shown loads nothing and grows little.
#![no_main]

use formats::html::{Show, quotable, show, show_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &str)| {
    let (remote, text) = input;
    let part = |id: &str| (id == "a").then(|| "/part".to_owned());
    let how = Show { attachment: &part, remote, quote: "Quoted", leads_to: "leads to" };
    let shown = show(text, &how);
    let lower = shown.html.to_ascii_lowercase();
    for tag in ["<script", "<style", "<iframe", "<svg", "<math", "<form", "<input", "<object", "<link", "<base", "<!--"] {
        assert!(!lower.contains(tag), "{tag}");
    }
    assert!(remote || !lower.contains("src=\"http"));
    assert!(!shown.style.contains('<') && !shown.style.to_ascii_lowercase().contains("url("));
    assert!(shown.html.len() < text.len() * 400 + 10_000);
    let _ = show(&shown.html, &how);
    let _ = quotable(text);
    let _ = show_text(text, &how);
});
