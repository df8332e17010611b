//! The providers one chooses from, and what each of them needs.

use model::discovery::{Found, Protocol};
use model::tables::ServerType;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    Imap,
    Pop3,
    Gmail,
    ExchangeServer,
    ExchangeOnline,
}

impl Provider {
    /// In the order of the choice: what works first.
    pub const ALL: [Self; 5] = [Self::Imap, Self::Pop3, Self::Gmail, Self::ExchangeServer, Self::ExchangeOnline];

    /// As in `?provider=imap`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Gmail => "gmail",
            Self::ExchangeServer => "exchange",
            Self::ExchangeOnline => "exchange-online",
        }
    }

    pub fn by_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.key() == key)
    }

    /// Of a profile that is there.
    pub fn of(server_type: ServerType, incoming: &str) -> Self {
        match server_type {
            ServerType::ImapSmtp if incoming.eq_ignore_ascii_case(GMAIL.0) => Self::Gmail,
            ServerType::ImapSmtp => Self::Imap,
            ServerType::Pop3Smtp => Self::Pop3,
            ServerType::Exchange | ServerType::ExchangeHybrid => Self::ExchangeServer,
            ServerType::ExchangeOnline => Self::ExchangeOnline,
        }
    }

    pub fn server_type(self) -> ServerType {
        match self {
            Self::Imap | Self::Gmail => ServerType::ImapSmtp,
            Self::Pop3 => ServerType::Pop3Smtp,
            Self::ExchangeServer => ServerType::Exchange,
            Self::ExchangeOnline => ServerType::ExchangeOnline,
        }
    }

    pub fn is_exchange(self) -> bool {
        matches!(self, Self::ExchangeServer | Self::ExchangeOnline)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Imap => "IMAP/SMTP",
            Self::Pop3 => "POP3/SMTP",
            Self::Gmail => "Gmail",
            Self::ExchangeServer => "Exchange Server",
            Self::ExchangeOnline => "Exchange Online",
        }
    }

    /// What to know before it is chosen.
    pub fn told(self) -> &'static str {
        match self {
            Self::Imap => {
                "For nearly every mail server. Messages stay where they are and are read at once when they arrive."
            }
            Self::Pop3 => "For servers without IMAP. Only the inbox is seen, and it is asked every few minutes.",
            Self::Gmail => "Gmail and Google Workspace, by IMAP and SMTP with an app password or an OAuth token.",
            Self::ExchangeServer | Self::ExchangeOnline => {
                "Such a profile can be kept, but this version does not talk to Exchange yet: its mailboxes are not processed."
            }
        }
    }

    /// Locations and ports that are known beforehand.
    pub fn known(self) -> Option<(&'static str, u16, &'static str, u16)> {
        (self == Self::Gmail).then_some((GMAIL.0, 993, GMAIL.1, 587))
    }

    /// The one that fits what was found.
    pub fn fitting(found: &Found) -> Self {
        match (found.best(Protocol::Imap), found.best(Protocol::Pop3)) {
            (Some(imap), _) if imap.host == GMAIL.0 => Self::Gmail,
            (Some(imap), Some(pop3)) if pop3.answered == Some(true) && imap.answered != Some(true) => Self::Pop3,
            (None, Some(_)) => Self::Pop3,
            _ => Self::Imap,
        }
    }
}

const GMAIL: (&str, &str) = ("imap.gmail.com", "smtp.gmail.com");
