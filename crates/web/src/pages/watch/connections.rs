//! The connections that nodes hold to servers, in words: on the board, on the
//! form of a profile, and beside a mailbox.

use std::collections::BTreeMap;

use actions::monitoring::{Connection, Nodes};
use model::Ref;

use crate::pages::kit::Frame;

pub(crate) struct Connections {
    pub lines: Vec<Line>,
    /// Why there are none; empty: there are.
    pub none: String,
    /// Nobody is there to open one.
    pub alone: bool,
}

/// What one node holds to one server.
pub(crate) struct Line {
    pub server: String,
    pub node: String,
    /// Empty where the page is of one profile.
    pub profile: String,
    pub said: String,
    /// Mailboxes that wait for one; empty: none does.
    pub waits: String,
    pub silent: bool,
}

/// Of one profile.
pub(crate) fn of(frame: &Frame, nodes: &Nodes) -> Connections {
    let lines: Vec<Line> = nodes.connections.iter().map(|c| line(frame, c, &BTreeMap::new())).collect();
    let alone = !nodes.any_alive();
    let none = match (alone, lines.is_empty()) {
        (true, _) => frame.t("No node is there to process mail. Start one: postroom serve").to_owned(),
        (false, true) => frame.t("No node has connected to its servers yet.").to_owned(),
        (false, false) => String::new(),
    };
    Connections { lines, none, alone }
}

pub(crate) fn line(frame: &Frame, held: &Connection, profiles: &BTreeMap<Ref, String>) -> Line {
    let texts = frame.viewer.texts;
    let said = match held.silent_since {
        Some(since) => texts.with(
            "Not heard of since {0}. It held {1} then; what it holds now is not known.",
            &[&frame.time(&since), &held.open],
        ),
        None if held.idle > 0 => {
            texts.with("{0} of {1} open, {2} of them kept for the next cycle", &[&held.open, &held.most, &held.idle])
        }
        None => frame.t2("{0} of {1} open", held.open, held.most),
    };
    let waits = match held.waiting {
        _ if held.silent_since.is_some() => String::new(),
        0 => String::new(),
        1 => frame.t("1 mailbox waits for one").to_owned(),
        more => frame.t1("{0} mailboxes wait for one", more),
    };
    Line {
        server: held.host.clone(),
        node: held.node.clone(),
        profile: held.profile.and_then(|profile| profiles.get(&profile)).cloned().unwrap_or_default(),
        said,
        waits,
        silent: held.silent_since.is_some(),
    }
}
