//! What a form offers, against what saving refuses.

use model::tables::IncomingMethod as In;

use super::*;

fn refused(mailbox: &Mailbox, profile: &EmailServerProfile, column: &str) -> (Vec<i64>, bool) {
    let offers = offers(mailbox, Some(profile));
    let offer = offers.iter().find(|offer| offer.column == column);
    offer.map_or((Vec::new(), false), |offer| {
        assert!(offer.why.len() > 15 && !offer.why.contains("does not have it"), "{column}: {}", offer.why);
        (offer.refused.clone(), offer.closed)
    })
}

#[test]
fn a_forward_mailbox_only_receives() {
    let (mailbox, profile) = (forward_mailbox(), profile());
    assert_eq!(refused(&mailbox, &profile, "outgoingemaildeliverymethod"), (vec![1, 2], true));
    assert_eq!(refused(&mailbox, &profile, "incomingemaildeliverymethod"), (vec![1, 3], false));
    assert_eq!(refused(&mailbox, &profile, "actdeliverymethod"), (vec![0, 1], true));
    assert_eq!(refused(&mailbox, &profile, "processanddeleteemails"), (vec![], false));
    assert_eq!(refused(&mailbox, &profile, "regardingobjectid"), (vec![], true));
    assert_eq!(refused(&mailbox, &profile, "ownerid"), (vec![], false));
}

#[test]
fn a_queue_has_no_outlook() {
    let (mailbox, profile) = (queue_mailbox(), profile());
    assert_eq!(refused(&mailbox, &profile, "incomingemaildeliverymethod"), (vec![1], false));
    assert_eq!(refused(&mailbox, &profile, "outgoingemaildeliverymethod"), (vec![1], false));
    assert_eq!(refused(&mailbox, &profile, "actdeliverymethod"), (vec![0, 1], true));
    assert_eq!(refused(&mailbox, &profile, "ownerid"), (vec![], true));
}

#[test]
fn a_users_mail_is_not_deleted() {
    let (mailbox, profile) = (user_mailbox(), profile());
    assert_eq!(refused(&mailbox, &profile, "processanddeleteemails"), (vec![1], true));
    assert_eq!(refused(&mailbox, &profile, "incomingemaildeliverymethod"), (vec![], false));
    assert_eq!(refused(&mailbox, &profile, "actdeliverymethod"), (vec![1], false));
    assert_eq!(refused(&mailbox, &exchange(), "actdeliverymethod"), (vec![], false));
}

/// Choosing what is closed is refused at that column, and nothing else is.
#[test]
fn what_is_closed_is_what_saving_refuses() {
    for before in [user_mailbox(), queue_mailbox(), forward_mailbox()] {
        for profile in [profile(), exchange()] {
            let organization = organization();
            let facts = MailboxFacts {
                organization: &organization,
                profile: Some(&profile),
                regarding: None,
                address_taken_by: None,
                writing_credentials: false,
                password_set: false,
            };
            let check = |column: &str, number: i64, after: Mailbox| {
                let saved = save(&before, after, &facts, now());
                let at_column = saved.is_err_and(|r| r.0.iter().any(|fault| fault.field == Some(column)));
                let closed = refused(&before, &profile, column).0.contains(&number);
                assert_eq!(at_column, closed, "{column} = {number} of {:?}", kind(&before));
            };
            for method in In::ALL {
                check("incomingemaildeliverymethod", method.number(), Mailbox { incoming: *method, ..before.clone() });
            }
            for method in OutgoingMethod::ALL {
                check("outgoingemaildeliverymethod", method.number(), Mailbox { outgoing: *method, ..before.clone() });
            }
            for method in ActMethod::ALL {
                check("actdeliverymethod", method.number(), Mailbox { act: *method, ..before.clone() });
            }
            check("processanddeleteemails", 1, Mailbox { delete_after: true, ..before.clone() });
        }
    }
}

#[test]
fn what_was_achieved_is_lost_and_a_failure_is_not() {
    let failed =
        Mailbox { incoming_status: model::tables::TestStatus::Failure, approval: Approval::Pending, ..user_mailbox() };
    let other = Mailbox { address: "other@x.example".into(), ..failed.clone() };
    assert!(!loses(&failed, &other, true));
    let approved = Mailbox { approval: Approval::Approved, ..failed.clone() };
    assert!(loses(&approved, &other, false));
    let works = Mailbox { enabled_outgoing: true, ..failed.clone() };
    assert!(loses(&works, &works, true));
    assert!(!loses(&works, &Mailbox { incoming: In::None, ..works.clone() }, false));
}

#[test]
fn effects_are_told_where_there_are_any() {
    let before = user_mailbox();
    assert!(effects(&before, &before).is_empty());
    let other = Mailbox { address: "other@x.example".into(), ..before.clone() };
    assert_eq!(effects(&before, &other), ["The primary email of the user changes, too."]);
    // The same address in other letters.
    assert!(effects(&before, &Mailbox { address: before.address.to_uppercase(), ..before.clone() }).is_empty());
    let off = Mailbox { state: State::Inactive, incoming: In::ForwardMailbox, ..before.clone() };
    assert_eq!(effects(&before, &off).len(), 2);
    let deletes = Mailbox { delete_after: true, ..queue_mailbox() };
    assert!(effects(&queue_mailbox(), &deletes)[0].contains("deleted on the server"));
}

#[test]
fn credentials_are_taken_from_the_mailbox_where_the_profile_says_so() {
    assert!(!takes_credentials(&profile()));
    let theirs =
        EmailServerProfile { incoming_credentials: model::tables::CredentialRetrieval::UserOrQueue, ..profile() };
    assert!(takes_credentials(&theirs));
}
