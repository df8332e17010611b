//! Where to go after signing in: only to a page of ours.

/// Octets of a path.
const LONGEST: usize = 2000;

/// The path, if it leads nowhere else; else the front page. Browsers take
/// `//host`, `/\host` and `/<tab>/host` for other hosts.
pub(super) fn local(path: &str) -> &str {
    let inside = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= LONGEST
        && path.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
    if inside { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(local(path), expected);
    }

    #[test]
    fn our_own() {
        check("/", "/");
        check("/account?a=b#c", "/account?a=b#c");
        check("/a//b", "/a//b");
    }
    #[test]
    fn elsewhere() {
        check("//evil.test", "/");
        check("///evil.test", "/");
        check("\\\\evil.test", "/");
        check("/\\evil.test", "/");
        check("/\t/evil.test", "/");
        check("https://evil.test", "/");
        check("javascript:alert(1)", "/");
        check("", "/");
        check("evil", "/");
    }
    #[test]
    fn header_injection() {
        check("/a\r\nSet-Cookie: x=y", "/");
        check("/a\u{85}b", "/");
        check("/ä", "/");
    }
    #[test]
    fn far_too_long() {
        check(&format!("/{}", "a".repeat(2000)), "/");
    }
}
