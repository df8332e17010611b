//! What a server can do, as it says.

/// One field for each capability that makes us act differently.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent facts is what it is")]
pub struct Capabilities {
    /// RFC 9051
    pub imap4rev2: bool,
    /// RFC 9051, section 6.2.1
    pub starttls: bool,
    /// RFC 9051, section 6.2.3: `LOGIN` would be refused.
    pub login_disabled: bool,
    /// RFC 4959: the first answer goes with `AUTHENTICATE`.
    pub sasl_ir: bool,
    /// RFC 2177
    pub idle: bool,
    /// RFC 4315: `UID EXPUNGE`
    pub uidplus: bool,
    /// RFC 6851
    pub r#move: bool,
    /// RFC 7162
    pub condstore: bool,
    /// RFC 4731
    pub esearch: bool,
    /// RFC 6154
    pub special_use: bool,
    /// RFC 5258: `LIST … RETURN (…)`
    pub list_extended: bool,
    /// RFC 5161
    pub enable: bool,
    /// RFC 6855
    pub utf8_accept: bool,
    /// RFC 2971
    pub id: bool,
    /// RFC 4978
    pub compress_deflate: bool,
    /// RFC 7888: literals of any size without waiting.
    pub literal_plus: bool,
    /// RFC 7888: literals up to 4096 octets without waiting.
    pub literal_minus: bool,
    /// Gmail, whose folders are labels.
    pub x_gm_ext_1: bool,
    /// RFC 4422: what stands behind `AUTH=`.
    pub auth: Vec<String>,
}

impl Capabilities {
    /// From the words behind `CAPABILITY`.
    pub fn parse(words: &[u8]) -> Self {
        let mut capabilities = Self::default();
        for word in String::from_utf8_lossy(words).split_ascii_whitespace() {
            capabilities.word(&word.to_ascii_uppercase());
        }
        // RFC 9051, appendix E: these are part of it.
        if capabilities.imap4rev2 {
            let c = &mut capabilities;
            for part in [&mut c.sasl_ir, &mut c.idle, &mut c.uidplus, &mut c.r#move, &mut c.esearch] {
                *part = true;
            }
            for part in [&mut c.special_use, &mut c.enable, &mut c.literal_minus] {
                *part = true;
            }
        }
        capabilities
    }

    fn word(&mut self, word: &str) {
        let field = match word {
            "IMAP4REV2" => &mut self.imap4rev2,
            "STARTTLS" => &mut self.starttls,
            "LOGINDISABLED" => &mut self.login_disabled,
            "SASL-IR" => &mut self.sasl_ir,
            "IDLE" => &mut self.idle,
            "UIDPLUS" => &mut self.uidplus,
            "MOVE" => &mut self.r#move,
            "CONDSTORE" | "QRESYNC" => &mut self.condstore,
            "ESEARCH" => &mut self.esearch,
            "SPECIAL-USE" => &mut self.special_use,
            "LIST-EXTENDED" => &mut self.list_extended,
            "ENABLE" => &mut self.enable,
            "UTF8=ACCEPT" | "UTF8=ONLY" => &mut self.utf8_accept,
            "ID" => &mut self.id,
            "COMPRESS=DEFLATE" => &mut self.compress_deflate,
            "LITERAL+" => &mut self.literal_plus,
            "LITERAL-" => &mut self.literal_minus,
            "X-GM-EXT-1" => &mut self.x_gm_ext_1,
            _ => {
                self.auth.extend(word.strip_prefix("AUTH=").map(str::to_owned));
                return;
            }
        };
        *field = true;
    }

    /// Whether a literal of this size may be sent without waiting for `+`.
    pub fn literal_without_waiting(&self, size: u64) -> bool {
        self.literal_plus || (self.literal_minus && size <= 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_found_in_any_case() {
        let c = Capabilities::parse(b"IMAP4rev1 starttls AUTH=PLAIN Auth=Scram-Sha-256 X-UNKNOWN UIDPLUS  LITERAL-");
        assert!(c.starttls && c.uidplus && c.literal_minus && !c.literal_plus && !c.idle);
        assert_eq!(c.auth, ["PLAIN", "SCRAM-SHA-256"]);
        assert!(c.literal_without_waiting(4096) && !c.literal_without_waiting(4097));
    }

    #[test]
    fn rev2_implies_its_parts() {
        let c = Capabilities::parse(b"IMAP4rev2 AUTH=PLAIN");
        assert!(c.idle && c.uidplus && c.r#move && c.esearch && c.enable && c.special_use && c.sasl_ir);
        assert!(!c.compress_deflate && !c.utf8_accept && !c.literal_plus);
    }

    #[test]
    fn nothing_means_nothing() {
        assert_eq!(Capabilities::parse(b""), Capabilities::default());
        assert_eq!(Capabilities::parse(b"\xff\xfe NONSENSE"), Capabilities::default());
    }
}
