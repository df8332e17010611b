//! A message at which the conversation breaks every time: when the mailbox
//! goes on without it.

/// So often in a row reading has to break off at the same message before it
/// is suspected; networks break, too.
const SUSPECT: i64 = 3;
/// After so many times it does not matter any more whether other messages fare better.
const HOPELESS: i64 = 12;

/// Whether it may be the message and not the server. The message is then read
/// alone, and what stands behind it is tried as well.
pub fn is_suspect(stumbles: i64) -> bool {
    stumbles >= SUSPECT
}

/// Whether to leave the message behind, at the time of which number `stumbles`
/// reading broke off. `others_come`: what stands behind it can be read, or
/// nothing does. A server that delivers nothing at all is in trouble itself.
pub fn gives_up(stumbles: i64, others_come: bool) -> bool {
    stumbles > HOPELESS || (stumbles > SUSPECT && others_come)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stumbles: i64, others_come: bool, expected: bool) {
        assert_eq!(gives_up(stumbles, others_come), expected, "{stumbles} {others_come}");
    }

    #[test]
    fn three_times_may_be_the_network() {
        check(1, true, false);
        check(3, true, false);
        assert!(!is_suspect(2) && is_suspect(3));
    }
    #[test]
    fn alone_and_again_is_the_message() {
        check(4, true, true);
    }
    #[test]
    fn a_server_that_delivers_nothing_is_waited_for() {
        check(4, false, false);
        check(12, false, false);
        check(13, false, true);
    }
}
