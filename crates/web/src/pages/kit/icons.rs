//! The pictures of the navigation: one path each, drawn with a pen of 1.75 on
//! a field of 24 by 24. They only decorate: the word stands beside them.

use crate::pages::kit::Place;

/// The attribute `d` of the path.
pub(crate) const fn path(place: Place) -> &'static str {
    match place {
        Place::Home => "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
        Place::Activities => "M3 6h18v12H3zM3 7l9 6 9-6",
        Place::Queues => "M3 13h5l1.5 3h5L16 13h5M3 13v6h18v-6L18 5H6z",
        Place::Contacts => "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4 20c1-4 4-5 8-5s7 1 8 5",
        Place::Accounts => "M4 20V5h10v15M14 9h6v11M2 20h20M7 9h4M7 13h4M17 13v0M17 16v0",
        Place::Leads => "M3 5h18l-7 8v6l-4-2v-4z",
        Place::Unresolved => {
            "M10 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM2 20c1-4 4-5 8-5M16 14a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .7-1 1.7M18.5 21v0"
        }
        Place::EmailSettings => {
            "M4 7h8M18 7h2M4 17h2M12 17h8M15 7m-2.5 0a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0M9 17m-2.5 0a2.5 2.5 0 1 0 5 0 \
             2.5 2.5 0 1 0-5 0"
        }
        Place::Mailboxes => "M7 6h10a4 4 0 0 1 4 4v8H11v-8a4 4 0 0 0-8 0v8h8M7 11v0M16 11h2v3",
        Place::Profiles => "M4 4h16v7H4zM4 13h16v7H4zM8 7.5v0M8 16.5v0M12 7.5h4M12 16.5h4",
        Place::Monitoring => "M3 12h4l3-7 4 14 3-7h4",
        Place::Alerts => "M6 17v-6a6 6 0 0 1 12 0v6l2 1H4zM10 20.5h4",
        Place::Users => {
            "M9 4a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM2 19c.8-3.5 3.5-4.5 7-4.5s6.2 1 7 4.5M16 4.5a3.5 3.5 0 0 1 0 6.5M18 15c2.2.5 3.5 1.7 4 4"
        }
        Place::Teams => {
            "M12 3a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM5 11a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM19 11a2.5 2.5 0 1 1 \
             0 5 2.5 2.5 0 0 1 0-5zM8 20c.5-4 1.5-6 4-6s3.5 2 4 6zM2 20c.2-1.5 1-2 3-2M22 20c-.2-1.5-1-2-3-2"
        }
        Place::Roles => "M12 3l8 3v6c0 4.5-3.5 7.5-8 9-4.5-1.5-8-4.5-8-9V6zM8.5 12l2.5 2.5 4.5-5",
        Place::Units => "M9 3h6v5H9zM3 16h6v5H3zM15 16h6v5h-6zM12 8v4M6 16v-4h12v4",
        Place::Tokens => "M8 9a5 5 0 1 1 0 6 5 5 0 0 1 0-6zM13 12h9M19 12v3",
        Place::Sessions => "M3 5h18v11H3zM9 20h6M12 16v4",
        Place::AuditLog => "M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7",
        Place::Data => "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
        Place::Feedback => "M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12h5",
        Place::Options => "M12 8.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM12 3v3M12 18v3M3 12h3M18 12h3",
        Place::Start => "M5 3v18M5 4h13l-3 4 3 4H5",
        Place::Nowhere => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line's joins are all that is between a path and a browser's error.
    #[test]
    fn paths_are_made_of_commands_and_numbers() {
        for place in [Place::Home, Place::Mailboxes, Place::Users, Place::Teams, Place::EmailSettings, Place::Roles] {
            let path = path(place);
            assert!(path.starts_with('M'), "{path}");
            let strange = path.chars().find(|c| !"MLHVCSQTAZmlhvcsqtaz0123456789.- ".contains(*c));
            assert_eq!(strange, None, "{path}");
        }
    }
}
