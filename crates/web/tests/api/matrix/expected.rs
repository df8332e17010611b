//! What each role may do, written down by hand: the reference product's
//! export of its stock roles, and the promises that were made for the others.
//! It is not made from what the program declares; that is the point of it.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Create,
    Read,
    Write,
    Delete,
    Append,
    AppendTo,
    Assign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Basic,
    Local,
    Deep,
    Global,
}

/// What a row has to do with who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    Own,
    /// Of a team that they are a member of; the team belongs to another unit.
    Team,
    /// Of somebody else in the business unit.
    Same,
    /// Of somebody in a unit below it.
    Child,
    /// Of somebody in a unit beside it.
    Other,
    /// The same, but shared with them: read, write, append, append to.
    Shared,
}

impl Whose {
    pub const ALL: [Self; 6] = [Self::Own, Self::Team, Self::Same, Self::Child, Self::Other, Self::Shared];
}

pub const NOBODY: &str = "no role";

/// Role by role: tables, and their privileges as the export writes them.
///
/// Tables, and what a role may do with their rows.
pub type Line = (&'static [&'static str], &'static str);

/// Departures from the export, each for a promise that weighs more:
/// - System Customizer has everything on mailboxes: the help page says that a
///   customizer creates forward mailboxes and edits all of them.
/// - Alerts (`tracelog`) are read at Basic without `prvReadOthersAlerts`, which
///   the Mailbox Administrator and the Auditor have: they show what others'
///   servers said.
/// - Alerts can be deleted by Mailbox Administrators, who handle them.
/// - Activities have one privilege each, by their table (decision 0013).
pub const ROLES: &[(&str, &[Line])] = &[
    (
        "System Administrator",
        &[
            (
                &["mailbox", "emailserverprofile", "queue", "email", "account", "contact", "lead", "userquery"],
                "Global: all",
            ),
            (
                &["systemuser", "usersettings", "tracelog", "businessunit", "team", "role"],
                "Global: Create,Read,Write,Delete,Append,AppendTo",
            ),
            (&["organization"], "Global: Read,Write,AppendTo"),
            (&["savedquery"], "Global: Create,Read,Write,Delete"),
            (
                &["fieldsecurityprofile", "serviceendpoint", "sdkmessageprocessingstep"],
                "Global: Create,Read,Write,Delete",
            ),
            (&["privilege", "pr_audit", "pr_event"], "Global: Read"),
        ],
    ),
    (
        "System Customizer",
        &[
            (&["mailbox", "emailserverprofile", "queue"], "Global: all"),
            (&["email", "account", "contact", "lead"], "Basic: all"),
            (&["userquery"], "Basic: Create,Read,Write,Delete,Assign"),
            (&["systemuser"], "Local: Append,AppendTo,Write; Global: Read"),
            (&["usersettings"], "Local: Create,Read,Write"),
            (&["tracelog"], "Basic: Append,AppendTo,Read; Global: Create"),
            (&["organization"], "Global: Read,Write"),
            (&["businessunit", "team", "role", "privilege", "fieldsecurityprofile"], "Global: Read"),
            (&["savedquery"], "Global: Create,Read,Write,Delete"),
        ],
    ),
    (
        "Basic User",
        &[
            (&["mailbox"], "Basic: Append,Read,Write"),
            (&["emailserverprofile"], "Global: AppendTo,Read"),
            (&["queue"], "Basic: AppendTo,Read"),
            (&["email", "account", "contact", "lead"], "Basic: all"),
            (&["userquery"], "Basic: Create,Read,Write,Delete,Assign"),
            (&["systemuser"], "Local: Append,AppendTo; Global: Read"),
            (&["usersettings"], "Local: AppendTo,Create,Delete,Write; Global: Read"),
            (&["tracelog"], "Basic: Append,AppendTo,Read; Global: Create"),
            (&["role"], "Local: Read"),
            (&["organization", "businessunit", "team", "savedquery", "privilege"], "Global: Read"),
        ],
    ),
    (
        "Mailbox Administrator",
        &[
            (&["mailbox", "emailserverprofile", "queue"], "Global: all"),
            (&["userquery"], "Basic: Create,Read,Write,Delete,Assign"),
            (&["systemuser", "usersettings"], "Global: Append,AppendTo,Read"),
            (&["tracelog"], "Global: Create,Read,Write,Delete,Append,AppendTo"),
            (&["role"], "Local: Read"),
            (&["organization"], "Global: Read,Write"),
            (&["businessunit", "team", "savedquery", "privilege"], "Global: Read"),
        ],
    ),
    (
        "Queue Member",
        &[
            (&["queue"], "Local: Read,Write,Append,AppendTo"),
            (&["email", "account", "contact", "lead"], "Local: Read,Write,Append,AppendTo,Assign"),
            (
                &["systemuser", "usersettings", "organization", "businessunit", "team", "savedquery", "privilege"],
                "Global: Read",
            ),
        ],
    ),
    (
        "Auditor",
        &[
            (
                &["mailbox", "emailserverprofile", "queue", "email", "account", "contact", "lead", "userquery"],
                "Global: Read",
            ),
            (&["systemuser", "usersettings", "tracelog", "businessunit", "team", "role"], "Global: Read"),
            (&["organization", "savedquery", "fieldsecurityprofile", "privilege", "pr_audit"], "Global: Read"),
            // What webhooks were told of (`pr_event`) holds the content of emails.
            (&["serviceendpoint", "sdkmessageprocessingstep"], "Global: Read"),
        ],
    ),
    (
        "Integration",
        &[
            (&["email", "account", "contact", "lead"], "Global: all"),
            (&["queue"], "Global: Read,Write,Append,AppendTo"),
            (&["mailbox", "emailserverprofile"], "Global: Read,AppendTo"),
            (&["userquery"], "Basic: Create,Read,Write,Delete,Assign"),
            (&["systemuser", "team"], "Global: Append,AppendTo,Read"),
            (&["tracelog"], "Basic: Read,Append; Global: Create"),
            (&["usersettings", "organization", "businessunit", "savedquery", "privilege"], "Global: Read"),
        ],
    ),
    (NOBODY, &[]),
];

/// How far the role's privilege reaches.
pub fn depth(role: &str, table: &str, verb: Verb) -> Option<Depth> {
    let (_, lines) = ROLES.iter().find(|(name, _)| *name == role).expect("a role");
    let lines = lines.iter().filter(|(tables, _)| tables.contains(&table));
    let parts = lines.flat_map(|(_, granted)| granted.split("; "));
    let reaches = parts.filter_map(|part| {
        let (depth, verbs) = part.split_once(": ").expect("depth: verbs");
        let depth = match depth {
            "Basic" => Depth::Basic,
            "Local" => Depth::Local,
            "Deep" => Depth::Deep,
            "Global" => Depth::Global,
            other => panic!("{other}"),
        };
        let name = format!("{verb:?}");
        verbs.split(',').any(|v| v == "all" || v == name).then_some(depth)
    });
    reaches.max()
}

pub fn covers(depth: Depth, verb: Verb, whose: Whose) -> bool {
    let shared = matches!(verb, Verb::Read | Verb::Write | Verb::Append | Verb::AppendTo);
    match whose {
        Whose::Own | Whose::Team => true,
        Whose::Same => depth >= Depth::Local,
        Whose::Child => depth >= Depth::Deep,
        Whose::Other => depth == Depth::Global,
        Whose::Shared => depth == Depth::Global || shared,
    }
}

/// What comes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// 403
    Denied,
    /// 404: for the caller it is not there.
    Absent,
    Else(u16),
}

impl Outcome {
    pub fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            403 => Self::Denied,
            404 => Self::Absent,
            other => Self::Else(other),
        }
    }

    pub fn and(self, next: impl FnOnce() -> Self) -> Self {
        if self == Self::Done { next() } else { self }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Else(status) => write!(f, "{status}"),
            other => write!(f, "{other:?}"),
        }
    }
}

pub fn reads(role: &str, table: &str, whose: Whose) -> Outcome {
    match depth(role, table, Verb::Read) {
        None => Outcome::Denied,
        Some(depth) if covers(depth, Verb::Read, whose) => Outcome::Done,
        Some(_) => Outcome::Absent,
    }
}

/// Something besides reading: what cannot be read is not there.
pub fn does(role: &str, verb: Verb, table: &str, whose: Whose) -> Outcome {
    reads(role, table, whose).and(|| reaches(role, verb, table, whose))
}

pub fn reaches(role: &str, verb: Verb, table: &str, whose: Whose) -> Outcome {
    let reaches = depth(role, table, verb).is_some_and(|d| covers(d, verb, whose));
    if reaches { Outcome::Done } else { Outcome::Denied }
}
