//! Providers that everybody knows: where their servers are and what has to be
//! done at theirs before a program may log in.

use model::discovery::Protection::{self, StartTls, Tls};
use model::discovery::Protocol;

/// One provider, by the domains of its addresses or the hosts that take mail
/// for other people's domains.
#[derive(Debug, Clone, Copy)]
pub struct Provider {
    pub name: &'static str,
    /// Domains of addresses.
    pub domains: &'static [&'static str],
    /// Ends of the names of hosts that take mail for the domains of others.
    pub exchangers: &'static [&'static str],
    pub servers: &'static [Server],
    pub user: User,
    /// What to do first.
    pub advice: &'static str,
    /// Passwords are refused there, or there is nothing to log in to.
    pub unreachable: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Server(pub Protocol, pub &'static str, pub u16, pub Protection);

/// What the provider takes as user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    Address,
    LocalPart,
}

const APP_PASSWORD: &str =
    "Turn on two-step verification there, make an app password, and give that instead of the account's own password.";
const NO_PASSWORDS: &str = "Microsoft no longer accepts passwords for IMAP, POP3 and SMTP there; only OAuth access tokens are. Store one in the mailbox (oauthaccesstoken), or forward the mail to a mailbox elsewhere.";

const fn imap(host: &'static str) -> Server {
    Server(Protocol::Imap, host, 993, Tls)
}
const fn pop3(host: &'static str) -> Server {
    Server(Protocol::Pop3, host, 995, Tls)
}
const fn submission(host: &'static str) -> Server {
    Server(Protocol::Smtp, host, 587, StartTls)
}
const fn submissions(host: &'static str) -> Server {
    Server(Protocol::Smtp, host, 465, Tls)
}

const PLAIN: Provider = Provider {
    name: "",
    domains: &[],
    exchangers: &[],
    servers: &[],
    user: User::Address,
    advice: "",
    unreachable: false,
};

pub const ALL: &[Provider] = &[
    Provider {
        name: "Gmail and Google Workspace",
        domains: &["gmail.com", "googlemail.com"],
        exchangers: &["google.com", "googlemail.com"],
        servers: &[imap("imap.gmail.com"), submission("smtp.gmail.com"), pop3("pop.gmail.com")],
        advice: APP_PASSWORD,
        ..PLAIN
    },
    Provider {
        name: "Outlook.com",
        domains: &[
            "outlook.com",
            "outlook.de",
            "hotmail.com",
            "hotmail.de",
            "hotmail.co.uk",
            "live.com",
            "live.de",
            "msn.com",
        ],
        exchangers: &["olc.protection.outlook.com"],
        servers: &[imap("outlook.office365.com"), submission("smtp-mail.outlook.com")],
        advice: NO_PASSWORDS,
        unreachable: true,
        ..PLAIN
    },
    Provider {
        name: "Exchange Online (Microsoft 365)",
        exchangers: &["mail.protection.outlook.com", "mx.microsoft"],
        servers: &[imap("outlook.office365.com"), submission("smtp.office365.com")],
        advice: NO_PASSWORDS,
        unreachable: true,
        ..PLAIN
    },
    Provider {
        name: "Yahoo Mail",
        domains: &["yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr", "ymail.com", "rocketmail.com"],
        exchangers: &["yahoodns.net"],
        servers: &[imap("imap.mail.yahoo.com"), submissions("smtp.mail.yahoo.com"), pop3("pop.mail.yahoo.com")],
        advice: APP_PASSWORD,
        ..PLAIN
    },
    Provider {
        name: "AOL Mail",
        domains: &["aol.com", "aol.de"],
        servers: &[imap("imap.aol.com"), submissions("smtp.aol.com")],
        advice: APP_PASSWORD,
        ..PLAIN
    },
    Provider {
        name: "iCloud Mail",
        domains: &["icloud.com", "me.com", "mac.com"],
        exchangers: &["mail.icloud.com"],
        servers: &[imap("imap.mail.me.com"), submission("smtp.mail.me.com")],
        advice: "Make an app-specific password at account.apple.com and give that instead of the account's own password.",
        ..PLAIN
    },
    Provider {
        name: "Fastmail",
        domains: &["fastmail.com", "fastmail.fm"],
        exchangers: &["messagingengine.com"],
        servers: &[imap("imap.fastmail.com"), submissions("smtp.fastmail.com"), pop3("pop.fastmail.com")],
        advice: "Make an app password with access to IMAP and SMTP there (Settings, Privacy & Security), and give that.",
        ..PLAIN
    },
    Provider {
        name: "GMX",
        domains: &["gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.org"],
        exchangers: &["gmx.net"],
        servers: &[imap("imap.gmx.net"), submissions("mail.gmx.net"), pop3("pop.gmx.net")],
        advice: "Allow POP3 and IMAP in the settings of the GMX mailbox first; with two-step verification on, make an app password.",
        ..PLAIN
    },
    Provider {
        name: "GMX",
        domains: &["gmx.com", "gmx.us", "gmx.co.uk"],
        servers: &[imap("imap.gmx.com"), submissions("mail.gmx.com"), pop3("pop.gmx.com")],
        advice: "Allow POP3 and IMAP in the settings of the GMX mailbox first; with two-step verification on, make an app password.",
        ..PLAIN
    },
    Provider {
        name: "WEB.DE",
        domains: &["web.de", "email.de"],
        servers: &[imap("imap.web.de"), submission("smtp.web.de"), pop3("pop3.web.de")],
        advice: "Allow POP3 and IMAP in the settings of the WEB.DE mailbox first; with two-step verification on, make an app password.",
        ..PLAIN
    },
    Provider {
        name: "Telekom Mail",
        domains: &["t-online.de", "magenta.de"],
        servers: &[
            imap("secureimap.t-online.de"),
            submissions("securesmtp.t-online.de"),
            pop3("securepop.t-online.de"),
        ],
        advice: "Set a password for email programs in Telekom's customer centre, and give that instead of the login's password.",
        ..PLAIN
    },
    Provider {
        name: "Posteo",
        domains: &["posteo.de", "posteo.net"],
        exchangers: &["posteo.de"],
        servers: &[imap("posteo.de"), submissions("posteo.de"), pop3("posteo.de")],
        ..PLAIN
    },
    Provider {
        name: "mailbox.org",
        domains: &["mailbox.org"],
        exchangers: &["mailbox.org"],
        servers: &[imap("imap.mailbox.org"), submissions("smtp.mailbox.org"), pop3("pop3.mailbox.org")],
        advice: "With two-step verification on, make an application password there and give that.",
        ..PLAIN
    },
    Provider {
        name: "Zoho Mail",
        domains: &["zoho.com", "zohomail.com"],
        exchangers: &["zoho.com"],
        servers: &[imap("imappro.zoho.com"), submissions("smtppro.zoho.com")],
        advice: "Allow IMAP in the settings of the Zoho mailbox first; with two-step verification on, make an application-specific password.",
        ..PLAIN
    },
    Provider {
        name: "Zoho Mail (Europe)",
        domains: &["zohomail.eu"],
        exchangers: &["zoho.eu"],
        servers: &[imap("imappro.zoho.eu"), submissions("smtppro.zoho.eu")],
        advice: "Allow IMAP in the settings of the Zoho mailbox first; with two-step verification on, make an application-specific password.",
        ..PLAIN
    },
    Provider {
        name: "IONOS",
        exchangers: &["kundenserver.de", "ionos.de", "ionos.com"],
        servers: &[imap("imap.ionos.de"), submissions("smtp.ionos.de"), pop3("pop.ionos.de")],
        ..PLAIN
    },
    Provider {
        name: "STRATO",
        exchangers: &["rzone.de"],
        servers: &[imap("imap.strato.de"), submissions("smtp.strato.de"), pop3("pop3.strato.de")],
        ..PLAIN
    },
    Provider {
        name: "OVHcloud",
        exchangers: &["ovh.net"],
        servers: &[imap("ssl0.ovh.net"), submissions("ssl0.ovh.net"), pop3("ssl0.ovh.net")],
        ..PLAIN
    },
    Provider {
        name: "Gandi",
        exchangers: &["gandi.net"],
        servers: &[imap("mail.gandi.net"), submissions("mail.gandi.net"), pop3("mail.gandi.net")],
        ..PLAIN
    },
    Provider {
        name: "Infomaniak",
        domains: &["ik.me"],
        exchangers: &["infomaniak.ch", "infomaniak.com"],
        servers: &[imap("mail.infomaniak.com"), submissions("mail.infomaniak.com")],
        advice: "Make a password for a device in the settings of the mailbox there, and give that.",
        ..PLAIN
    },
    Provider {
        name: "Migadu",
        exchangers: &["migadu.com"],
        servers: &[imap("imap.migadu.com"), submissions("smtp.migadu.com"), pop3("pop.migadu.com")],
        ..PLAIN
    },
    Provider {
        name: "Hetzner",
        exchangers: &["your-server.de"],
        servers: &[imap("mail.your-server.de"), submission("mail.your-server.de"), pop3("mail.your-server.de")],
        ..PLAIN
    },
    Provider {
        name: "Rackspace Email",
        exchangers: &["emailsrvr.com"],
        servers: &[imap("secure.emailsrvr.com"), submissions("secure.emailsrvr.com"), pop3("secure.emailsrvr.com")],
        ..PLAIN
    },
    Provider {
        name: "Yandex Mail",
        domains: &["yandex.com", "yandex.ru", "ya.ru"],
        exchangers: &["yandex.net", "yandex.ru"],
        servers: &[imap("imap.yandex.com"), submissions("smtp.yandex.com")],
        advice: "Allow IMAP with app passwords in the settings of the Yandex mailbox, make one and give that.",
        ..PLAIN
    },
    Provider {
        name: "Mail.ru",
        domains: &["mail.ru", "inbox.ru", "list.ru", "bk.ru"],
        exchangers: &["mail.ru"],
        servers: &[imap("imap.mail.ru"), submissions("smtp.mail.ru")],
        advice: "Make a password for external applications there and give that.",
        ..PLAIN
    },
    Provider {
        name: "Proton Mail",
        domains: &["proton.me", "protonmail.com", "pm.me"],
        exchangers: &["protonmail.ch"],
        advice: "Proton encrypts mail in a way that only its own programs read. Its Bridge has to run on this server's network: give the Bridge's host, ports and password by hand.",
        unreachable: true,
        ..PLAIN
    },
    Provider {
        name: "Tuta",
        domains: &["tuta.com", "tutanota.com", "tutanota.de"],
        exchangers: &["tutanota.de"],
        advice: "Tuta has no IMAP, POP3 or SMTP server; its mailboxes cannot be synchronized.",
        unreachable: true,
        ..PLAIN
    },
];

/// The provider of an address's domain.
pub fn of_domain(domain: &str) -> Option<&'static Provider> {
    ALL.iter().find(|p| p.domains.contains(&domain))
}

/// The provider behind the host that takes a domain's mail.
pub fn of_exchanger(host: &str) -> Option<&'static Provider> {
    let behind = |end: &&str| host == *end || host.strip_suffix(end).is_some_and(|front| front.ends_with('.'));
    // The longest end says most: olc.protection.outlook.com is not all of outlook.com.
    ALL.iter()
        .filter_map(|p| Some((p.exchangers.iter().filter(|end| behind(end)).map(|end| end.len()).max()?, p)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, provider)| provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn exchanger(host: &str, expected: Option<&str>) {
        assert_eq!(of_exchanger(host).map(|p| p.name), expected, "{host}");
    }

    #[test]
    fn exchangers_are_known_by_their_ends() {
        exchanger("aspmx.l.google.com", Some("Gmail and Google Workspace"));
        exchanger("alt1.aspmx.l.google.com", Some("Gmail and Google Workspace"));
        exchanger("example-com.mail.protection.outlook.com", Some("Exchange Online (Microsoft 365)"));
        exchanger("outlook-com.olc.protection.outlook.com", Some("Outlook.com"));
        exchanger("in1-smtp.messagingengine.com", Some("Fastmail"));
        exchanger("mx00.kundenserver.de", Some("IONOS"));
        exchanger("notgoogle.com", None);
        exchanger("google.com.evil.example", None);
        exchanger("mail.example.com", None);
    }

    #[test]
    fn the_table_is_sound() {
        let mut domains = std::collections::BTreeSet::new();
        for provider in ALL {
            assert!(!provider.name.is_empty());
            assert!(provider.unreachable || !provider.servers.is_empty(), "{}", provider.name);
            assert!(!provider.unreachable || !provider.advice.is_empty(), "{}", provider.name);
            assert!(!provider.domains.is_empty() || !provider.exchangers.is_empty(), "{}", provider.name);
            for domain in provider.domains {
                assert!(domains.insert(*domain), "{domain} stands twice");
                assert_eq!(of_domain(domain).unwrap().name, provider.name);
            }
            let both = [Protocol::Imap, Protocol::Smtp];
            if !provider.servers.is_empty() {
                assert!(both.iter().all(|p| provider.servers.iter().any(|s| s.0 == *p)), "{}", provider.name);
            }
        }
    }
}
