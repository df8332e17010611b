//! Whose an email becomes when its item in a queue is worked on, and whether
//! handing it over takes the right to assign it.

use model::Ref;

/// An item of a queue, and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub actor: Ref,
    /// Whose the queue is.
    pub queue_owner: Option<Ref>,
    /// Who works on the item.
    pub worker: Option<Ref>,
    /// Whose the email is.
    pub email_owner: Option<Ref>,
}

impl Standing {
    /// Whether giving the email to `heir` is the queue's ordinary work: taking
    /// on oneself what waits there, or giving back what one took. Whoever may
    /// work in the queue may do that; everything else is assigning.
    #[must_use]
    pub fn is_own_work(&self, heir: Ref) -> bool {
        let waits = self.email_owner.is_none() || self.email_owner == self.queue_owner;
        let takes = heir == self.actor && waits;
        let mine = self.worker == Some(self.actor) && self.email_owner == Some(self.actor);
        let gives_back = mine && self.queue_owner == Some(heir);
        takes || gives_back
    }
}

#[cfg(test)]
mod tests {
    use model::Id;

    use super::*;

    const ANN: Ref = Ref::new("systemuser", Id::from_u128(1));
    const BOB: Ref = Ref::new("systemuser", Id::from_u128(2));
    const TEAM: Ref = Ref::new("team", Id::from_u128(3));

    #[track_caller]
    fn check(owner: Option<Ref>, worker: Option<Ref>, heir: Ref, expected: bool) {
        let standing = Standing { actor: ANN, queue_owner: Some(TEAM), worker, email_owner: owner };
        assert_eq!(standing.is_own_work(heir), expected, "{owner:?} {worker:?} {heir}");
    }

    #[test]
    fn taking_what_waits() {
        check(Some(TEAM), None, ANN, true);
        check(None, None, ANN, true);
    }
    #[test]
    fn taking_what_is_somebody_elses() {
        check(Some(BOB), None, ANN, false);
        check(Some(BOB), Some(BOB), ANN, false);
    }
    #[test]
    fn giving_to_another() {
        check(Some(TEAM), None, BOB, false);
        check(Some(ANN), Some(ANN), BOB, false);
    }
    #[test]
    fn giving_back() {
        check(Some(ANN), Some(ANN), TEAM, true);
        check(Some(BOB), Some(BOB), TEAM, false);
        // It is hers, and not from the queue.
        check(Some(ANN), None, TEAM, false);
    }
}
