//! What the server offers in its answer to CAPA (RFC 2449).

/// The extensions that we use, each with its RFC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// The server knows CAPA. Where not, nothing else here says anything.
    pub known: bool,
    /// RFC 1939: header and first lines of a message.
    pub top: bool,
    /// RFC 1939: unique-ids.
    pub uidl: bool,
    /// RFC 1939: USER and PASS.
    pub user: bool,
    /// RFC 5034: the SASL mechanisms, in capital letters, in the server's order.
    pub sasl: Vec<String>,
    /// RFC 2449: errors may carry response codes.
    pub resp_codes: bool,
    /// RFC 3206: `[AUTH]` says that it is the credentials.
    pub auth_resp_code: bool,
    /// RFC 2449: several commands in one write.
    pub pipelining: bool,
    /// RFC 2595.
    pub stls: bool,
    /// RFC 2449: seconds that have to pass between log ins.
    pub login_delay: Option<u64>,
}

impl Capabilities {
    /// Of the lines of the answer.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut found = Self { known: true, ..Self::default() };
        for line in lines {
            found.add(line);
        }
        found
    }

    fn add(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let Some(keyword) = words.next() else { return };
        match keyword.to_ascii_uppercase().as_str() {
            "TOP" => self.top = true,
            "UIDL" => self.uidl = true,
            "USER" => self.user = true,
            "SASL" => self.sasl.extend(words.map(str::to_ascii_uppercase)),
            "RESP-CODES" => self.resp_codes = true,
            "AUTH-RESP-CODE" => self.auth_resp_code = true,
            "PIPELINING" => self.pipelining = true,
            "STLS" => self.stls = true,
            "LOGIN-DELAY" => self.login_delay = words.next().and_then(|word| word.parse().ok()),
            _ => {}
        }
    }

    /// TOP is worth trying: it was offered, or the server does not say what it offers.
    pub(crate) fn may_top(&self) -> bool {
        self.top || !self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dovecot() {
        let lines = "CAPA\nTOP\nUIDL\nRESP-CODES\nPIPELINING\nAUTH-RESP-CODE\nSTLS\nUSER\nSASL PLAIN LOGIN";
        let expected = Capabilities {
            known: true,
            top: true,
            uidl: true,
            user: true,
            sasl: vec!["PLAIN".into(), "LOGIN".into()],
            resp_codes: true,
            auth_resp_code: true,
            pipelining: true,
            stls: true,
            login_delay: None,
        };
        assert_eq!(Capabilities::of(lines.lines()), expected);
    }
    #[test]
    fn small_letters() {
        assert!(Capabilities::of(["uidl"]).uidl);
    }
    #[test]
    fn delay() {
        assert_eq!(Capabilities::of(["LOGIN-DELAY 900"]).login_delay, Some(900));
        assert_eq!(Capabilities::of(["LOGIN-DELAY 900 USER"]).login_delay, Some(900));
        assert_eq!(Capabilities::of(["LOGIN-DELAY soon"]).login_delay, None);
    }
    #[test]
    fn empty_and_unknown() {
        assert_eq!(Capabilities::of(["", "  ", "X-MAGIC 5"]), Capabilities { known: true, ..Capabilities::default() });
    }
    #[test]
    fn without_capa_top_is_tried() {
        assert!(Capabilities::default().may_top());
        assert!(!Capabilities::of(["UIDL"]).may_top());
    }
}
