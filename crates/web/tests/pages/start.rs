//! First run: from nothing to the first synchronized mailbox. The machine's
//! half is played by hand; with real servers it is in the browser's stories.

use model::discovery::{Found, InquiryState, Protocol};
use model::tables::{Approval, EmailServerProfile, IncomingMethod, Mailbox, OutgoingMethod, Queue, TestStatus};
use model::{Entity, Query, Update};

use crate::profile::{allowing_passwords, candidate, mailbox_with, pass_test};
use crate::world::{ADMIN, World};

const TYPED: &[(&str, &str)] = &[
    ("emailaddress", "ann@acme.test"),
    ("password", "pass word"),
    ("username", ""),
    ("whose", "mine"),
    ("since", "week"),
    ("incomingemailfilteringmethod", "0"),
];

fn servers() -> Found {
    Found {
        candidates: vec![
            candidate(Protocol::Imap, "imap.acme.test", 993, true),
            candidate(Protocol::Smtp, "smtp.acme.test", 465, true),
        ],
        ..Found::default()
    }
}

async fn looked_up(w: &World, found: &Found) {
    let inquiry = w.inquiries().await.remove(0);
    w.answer_inquiry(inquiry.id, InquiryState::Done, &[], found).await;
}

story!(an_administrator_of_a_new_installation_is_led_there, |w| {
    let mut admin = w.administrator().await;
    let answer = admin.send("/signin", &[("user", ADMIN), ("password", "correct horse battery")]).await.expect(303);
    assert_eq!(answer.header("location"), "/start");
    admin.open("/start").await.expect(200).sees("Two minutes to the first synchronized mailbox");
    let mut sally = w.salesperson().await;
    sally.open("/start").await.expect(403);
    let typed = [("user", "sally@example.com"), ("password", "correct horse battery")];
    assert_eq!(sally.send("/signin", &typed).await.expect(303).header("location"), "/");
    // Who wanted to go elsewhere goes there.
    let typed = [("user", ADMIN), ("password", "correct horse battery"), ("return", "/account")];
    assert_eq!(admin.send("/signin", &typed).await.expect(303).header("location"), "/account");
});

story!(from_nothing_to_the_first_mailbox, |w| {
    let w = allowing_passwords(w);
    let mut admin = w.administrator().await;
    admin.send("/start", &[("emailaddress", "ann"), ("password", "x")]).await.expect(400).sees("not an email address");
    admin.send("/start", &[("emailaddress", "ann@acme.test")]).await.expect(400).sees("Give the password");
    admin.submit("/start", TYPED).await.sees("Look up the settings of the address (Under way)");
    let mailbox = mailbox_with(&w, "ann@acme.test").await;
    let held = w.store.reveal(Mailbox::TABLE, mailbox.id, "password").await.unwrap().unwrap();
    assert_eq!(held.expose(), "pass word");
    // Asking to go on too early does nothing.
    admin.submit("/start/continue", &[]).await.sees("(Under way)");
    assert_eq!(w.store.count(&Query::of::<EmailServerProfile>()).await.unwrap(), 0);

    looked_up(&w, &servers()).await;
    let part = admin.part("/start/steps").await.expect(200);
    assert!(part.text().contains("hx-post=\"/start/continue\""), "{}", part.text());
    admin.submit("/start/continue", &[]).await.sees("Test and enable the mailbox (Under way)").sees("acme.test");
    let mailbox = mailbox_with(&w, "ann@acme.test").await;
    assert_eq!((mailbox.incoming, mailbox.outgoing), (IncomingMethod::ServerSide, OutgoingMethod::ServerSide));
    assert_eq!((mailbox.approval, mailbox.test_scheduled), (Approval::Approved, true));
    let profile = w.store.load::<EmailServerProfile>(mailbox.profile.unwrap().id).await.unwrap().unwrap();
    assert_eq!((profile.name.as_str(), profile.outgoing_port), ("acme.test", Some(465)));
    assert!(actions::profile::is_default(&w.context().await, profile.id).await.unwrap());

    pass_test(&w, mailbox.id).await;
    let page = admin.open("/start").await.expect(200);
    page.sees("The mailbox is synchronized.").sees("Send one to the mailbox");
    // It is no first run any more.
    let typed = [("user", ADMIN), ("password", "correct horse battery")];
    assert_eq!(admin.send("/signin", &typed).await.expect(303).header("location"), "/");
});

story!(its_password_is_not_taken_in_clear, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open("/start").await.expect(200);
    assert!(page.text().contains("id=\"password-why\""), "{}", page.text());
    admin.send("/start", TYPED).await.expect(400).sees("secure connection");
});

story!(it_goes_on_wherever_it_was_left, |w| {
    let w = allowing_passwords(w);
    let mut admin = w.administrator().await;
    admin.submit("/start", TYPED).await;
    looked_up(&w, &servers()).await;
    admin.submit("/start/continue", &[]).await;
    let mailbox = mailbox_with(&w, "ann@acme.test").await;
    // The test failed; the row of the inquiry is long gone.
    let failed = Update::of::<Mailbox>(mailbox.id)
        .set(Mailbox::C.test_scheduled, false)
        .set(Mailbox::C.incoming_status, TestStatus::Failure);
    let inquiry = w.inquiries().await.remove(0);
    w.write(vec![failed.into(), model::Change::delete::<model::tables::Inquiry>(inquiry.id)]).await;
    let mut again = w.administrator().await;
    again.open("/start").await.expect(200).sees("Test and enable the mailbox (Failed)").sees("Try again");
    again.submit("/start/again", &[("username", "ann"), ("password", "other")]).await.sees("(Under way)");
    let mailbox = mailbox_with(&w, "ann@acme.test").await;
    assert_eq!((mailbox.user_name.as_str(), mailbox.test_scheduled), ("ann", true));
    let held = w.store.reveal(Mailbox::TABLE, mailbox.id, "password").await.unwrap().unwrap();
    assert_eq!(held.expose(), "other");
});

story!(servers_that_nobody_finds_are_given_by_hand, |w| {
    let w = allowing_passwords(w);
    let mut admin = w.administrator().await;
    admin.submit("/start", TYPED).await;
    looked_up(&w, &Found::default()).await;
    admin.open("/start").await.expect(200).sees("(Failed)").sees("Give the servers by hand");
    let wrong = [("protocol", "imap"), ("incomingserverlocation", ""), ("outgoingserverlocation", "smtp.acme.test")];
    let page = admin.send("/start/servers", &wrong).await.expect(400);
    assert!(page.text().contains("incomingserverlocation-fault"), "{}", page.text());
    let right = [
        ("protocol", "pop3"),
        ("incomingserverlocation", "pop.acme.test"),
        ("incomingportnumber", ""),
        ("outgoingserverlocation", "smtp.acme.test"),
        ("outgoingportnumber", "2525"),
    ];
    admin.submit("/start/servers", &right).await.sees("Test and enable the mailbox (Under way)");
    let mailbox = mailbox_with(&w, "ann@acme.test").await;
    let profile = w.store.load::<EmailServerProfile>(mailbox.profile.unwrap().id).await.unwrap().unwrap();
    assert_eq!((profile.incoming_port, profile.outgoing_port), (Some(995), Some(2525)));
});

story!(a_queue_gets_its_mailbox, |w| {
    let w = allowing_passwords(w);
    let mut admin = w.administrator().await;
    let queue = [("emailaddress", "help@acme.test"), ("password", "x"), ("whose", "queue"), ("name", "Support")];
    admin.submit("/start", &queue).await.sees("help@acme.test");
    looked_up(&w, &servers()).await;
    admin.submit("/start/continue", &[]).await.sees("Test and enable the mailbox (Under way)");
    let queues = w.store.list::<Queue>(&Query::of::<Queue>()).await.unwrap();
    let queue = queues.iter().find(|queue| queue.name == "Support").unwrap();
    assert_eq!(queue.default_mailbox.unwrap().id, mailbox_with(&w, "help@acme.test").await.id);
    // Begin again: the form stands there anew, and nothing is lost.
    admin.submit("/start/over", &[]).await.sees("Sets up a further mailbox");
});
