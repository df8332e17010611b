//! Attachment names that are safe to show and to save under.

/// Longest name, in characters.
const LONGEST: usize = 200;

/// The last component of whatever path a name came with, without control
/// characters and direction marks; made up from the type where nothing is left.
pub fn safe(given: Option<&str>, mime_type: &str, made_up: Option<&str>) -> String {
    if let Some(name) = given.map(clean).filter(|n| !n.is_empty()) {
        return name;
    }
    let extension = extension(mime_type);
    let stem = made_up.map(|n| clean(&n.replace(['/', '\\', ':'], "-"))).filter(|n| !n.is_empty());
    format!("{}{extension}", stem.as_deref().unwrap_or("attachment"))
}

fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|n| !n.trim().is_empty()).unwrap_or_default();
    let kept: String = last.chars().filter(|&c| !c.is_control() && !is_direction(c)).collect();
    // `..` and `.` are no names, nor is what ends in dots or spaces on some systems.
    let kept = kept.trim().trim_end_matches(['.', ' ']);
    if kept.chars().count() <= LONGEST {
        return kept.to_owned();
    }
    let (stem, extension) = match kept.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => (stem, format!(".{extension}")),
        _ => (kept, String::new()),
    };
    let room = LONGEST - extension.chars().count();
    stem.chars().take(room).chain(extension.chars()).collect()
}

/// Characters that make a name read otherwise than it is.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn extension(mime_type: &str) -> &'static str {
    match mime_type {
        "text/plain" => ".txt",
        "text/html" => ".html",
        "text/calendar" => ".ics",
        "text/csv" => ".csv",
        "text/vcard" | "text/x-vcard" => ".vcf",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => ".jpg",
        "image/png" => ".png",
        "image/gif" => ".gif",
        "image/bmp" => ".bmp",
        "image/tiff" => ".tif",
        "image/webp" => ".webp",
        "image/svg+xml" => ".svg",
        "application/pdf" => ".pdf",
        "application/zip" | "application/x-zip-compressed" => ".zip",
        "application/json" => ".json",
        "application/xml" | "text/xml" => ".xml",
        "application/msword" => ".doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => ".docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => ".xlsx",
        "application/pgp-signature" => ".asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => ".p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => ".p7m",
        "application/ms-tnef" => ".dat",
        "audio/mpeg" => ".mp3",
        "audio/wav" | "audio/x-wav" => ".wav",
        "video/mp4" => ".mp4",
        "message/rfc822" | "message/global" => ".eml",
        "message/delivery-status" | "text/rfc822-headers" => ".txt",
        _ => ".bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, expected: &str) {
        assert_eq!(safe(Some(given), "application/octet-stream", None), expected);
    }

    #[test]
    fn names() {
        check("a.txt", "a.txt");
        check("/etc/passwd", "passwd");
        check(r"C:\temp\a.txt", "a.txt");
        check("../../a.txt", "a.txt");
        check("a/", "a");
        check("..", "attachment.bin");
        check("a\u{0}\n.txt", "a.txt");
        check("gpj\u{202E}.exe", "gpj.exe");
        check("a.txt. .", "a.txt");
        check("", "attachment.bin");
        check("/", "attachment.bin");
        check(".htaccess", ".htaccess");
    }
    #[test]
    fn long_names_keep_their_extension() {
        let name = safe(Some(&format!("{}.pdf", "é".repeat(500))), "x/y", None);
        assert_eq!(name.chars().count(), 200);
        assert!(name.ends_with(".pdf"));
    }
    #[test]
    fn made_up() {
        assert_eq!(safe(None, "image/png", None), "attachment.png");
        assert_eq!(safe(None, "message/rfc822", Some("Re: a/b")), "Re- a-b.eml");
    }
}
