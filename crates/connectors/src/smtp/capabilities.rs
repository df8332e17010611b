//! What the server offers in its answer to EHLO (RFC 5321, section 4.1.1.1).

use super::reply::Reply;

/// The extensions that we use, each with its RFC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// The name the server calls itself.
    pub domain: String,
    /// RFC 2920: several commands in one write.
    pub pipelining: bool,
    /// RFC 1870: sizes can be declared.
    pub size: bool,
    /// RFC 1870: the most octets a message may have, where the server has a limit.
    pub max_size: Option<u64>,
    /// RFC 6152: octets above 127 in the body.
    pub eight_bit_mime: bool,
    /// RFC 6531: addresses and header fields in UTF-8.
    pub smtp_utf8: bool,
    /// RFC 3207.
    pub start_tls: bool,
    /// RFC 4954: the SASL mechanisms, in capital letters, in the server's order.
    pub auth: Vec<String>,
    /// RFC 3461: delivery status notifications can be asked for.
    pub dsn: bool,
    /// RFC 2034: replies carry enhanced status codes.
    pub enhanced_status_codes: bool,
    /// RFC 3030: BDAT.
    pub chunking: bool,
}

impl Capabilities {
    pub fn from_ehlo(reply: &Reply) -> Self {
        let mut found = Self::default();
        let mut lines = reply.lines.iter();
        if let Some(greeting) = lines.next() {
            found.domain = greeting.split_whitespace().next().unwrap_or_default().to_owned();
        }
        for line in lines {
            found.add(line);
        }
        found
    }

    fn add(&mut self, line: &str) {
        // Old servers write `AUTH=LOGIN PLAIN`, some besides the line in today's form.
        let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        let Some(keyword) = words.next() else { return };
        match keyword.to_ascii_uppercase().as_str() {
            "PIPELINING" => self.pipelining = true,
            "SIZE" => {
                self.size = true;
                // `SIZE 0` and `SIZE` alone: no limit is known.
                self.max_size = words.next().and_then(|word| word.parse().ok()).filter(|&limit| limit > 0);
            }
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtp_utf8 = true,
            "STARTTLS" => self.start_tls = true,
            "AUTH" => self.add_mechanisms(words),
            "DSN" => self.dsn = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "CHUNKING" => self.chunking = true,
            _ => {}
        }
    }

    fn add_mechanisms<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for word in words {
            let name = word.to_ascii_uppercase();
            if !self.auth.contains(&name) {
                self.auth.push(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ehlo(lines: &[&str]) -> Capabilities {
        let reply = Reply { code: 250, enhanced: None, lines: lines.iter().map(ToString::to_string).collect() };
        Capabilities::from_ehlo(&reply)
    }

    #[test]
    fn postfix() {
        let found = ehlo(&[
            "mail.example.org",
            "PIPELINING",
            "SIZE 10240000",
            "VRFY",
            "ETRN",
            "STARTTLS",
            "AUTH PLAIN LOGIN",
            "AUTH=PLAIN LOGIN",
            "ENHANCEDSTATUSCODES",
            "8BITMIME",
            "DSN",
            "SMTPUTF8",
            "CHUNKING",
        ]);
        assert_eq!(
            found,
            Capabilities {
                domain: "mail.example.org".into(),
                pipelining: true,
                size: true,
                max_size: Some(10_240_000),
                eight_bit_mime: true,
                smtp_utf8: true,
                start_tls: true,
                auth: vec!["PLAIN".into(), "LOGIN".into()],
                dsn: true,
                enhanced_status_codes: true,
                chunking: true,
            }
        );
    }
    #[test]
    fn nothing_but_a_name() {
        assert_eq!(
            ehlo(&["old.example.org Hello"]),
            Capabilities { domain: "old.example.org".into(), ..Capabilities::default() }
        );
    }
    #[test]
    fn no_lines_at_all() {
        assert_eq!(ehlo(&[]), Capabilities::default());
    }
    #[test]
    fn the_first_line_is_never_a_keyword() {
        assert!(!ehlo(&["PIPELINING"]).pipelining);
    }
    #[test]
    fn small_letters() {
        assert!(ehlo(&["x", "pipelining"]).pipelining);
    }
    #[test]
    fn size_without_a_limit() {
        let found = ehlo(&["x", "SIZE"]);
        assert_eq!((found.size, found.max_size), (true, None));
    }
    #[test]
    fn size_zero_is_no_limit() {
        assert_eq!(ehlo(&["x", "SIZE 0"]).max_size, None);
    }
    #[test]
    fn size_in_words_is_no_limit() {
        assert_eq!(ehlo(&["x", "SIZE lots"]).max_size, None);
    }
    #[test]
    fn size_with_an_equals_sign() {
        assert_eq!(ehlo(&["x", "SIZE=99"]).max_size, Some(99));
    }
    #[test]
    fn auth_of_old() {
        assert_eq!(ehlo(&["x", "AUTH=login plain"]).auth, ["LOGIN", "PLAIN"]);
    }
    #[test]
    fn auth_without_mechanisms() {
        assert!(ehlo(&["x", "AUTH"]).auth.is_empty());
    }
    #[test]
    fn unknown_and_empty_lines() {
        assert_eq!(
            ehlo(&["x", "", "X-EXPS GSSAPI", "XCLIENT NAME"]),
            Capabilities { domain: "x".into(), ..Capabilities::default() }
        );
    }
}
