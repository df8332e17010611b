//! Email Configuration Settings.

use model::Query;
use model::tables::{IncomingMethod, Organization};
use serde_json::json;

use crate::world::World;

async fn organization(w: &World) -> Organization {
    w.store.list::<Organization>(&Query::of::<Organization>()).await.unwrap().pop().unwrap()
}

story!(settings_are_changed, |w| {
    let mut admin = w.administrator().await;
    let page = admin.open("/settings/email").await.expect(200).says("Default synchronization method");
    // Kilobytes.
    assert!(page.text().contains("name=\"maxuploadfilesize\" value=\"5120\""), "{}", page.text());
    let fields = [
        ("was.pr_defaultincomingmethod", "2"),
        ("pr_defaultincomingmethod", "3"),
        ("requireapprovalforuseremail", "0"),
        ("was.maxuploadfilesize", "5242880"),
        ("maxuploadfilesize", "10240"),
        ("blockedattachments", "exe; js"),
        ("generatealertsforwarnings", "0"),
        ("generatealertsforwarnings", "1"),
        ("trackingprefix", "NEW:;CRM:"),
    ];
    admin.submit("/settings/email", &fields).await.says("Saved.");
    let now = organization(&w).await;
    assert_eq!(now.default_incoming, IncomingMethod::ForwardMailbox);
    assert!(!now.require_user_approval && now.require_queue_approval && now.alert_warnings && now.alert_errors);
    assert_eq!((now.max_upload, now.blocked_attachments.as_str()), (10_485_760, "exe; js"));
    assert_eq!(now.tracking_prefix, "NEW:;CRM:");
});

story!(what_is_wrong_stands_at_its_field, |w| {
    let mut admin = w.administrator().await;
    let page = admin.send("/settings/email", &[("maxuploadfilesize", "999999999"), ("trackingprefix", "X:")]).await;
    let text = page.expect(422).text();
    assert!(text.contains("href=\"#maxuploadfilesize\"") && text.contains("id=\"maxuploadfilesize-fault\""), "{text}");
    assert!(text.contains("value=\"X:\""));
    admin.send("/settings/email", &[("maxuploadfilesize", "much")]).await.expect(422).says("is not a whole number");
    assert_eq!(organization(&w).await.max_upload, 5_242_880);
});

story!(what_others_changed_is_shown, |w| {
    let id = organization(&w).await.id;
    w.patch(&format!("/organizations({id})"), json!({ "trackingprefix": "THEIRS:" })).await.expect(204);
    let mut admin = w.administrator().await;
    let fields = [("was.trackingprefix", "CRM:"), ("trackingprefix", "MINE:")];
    let page = admin.send("/settings/email", &fields).await.expect(409).says("meanwhile").says("THEIRS:");
    assert!(page.text().contains("value=\"MINE:\""));
    // Values in the words of the form.
    let theirs =
        json!({ "pr_defaultincomingmethod": 3, "requireapprovalforuseremail": false, "maxuploadfilesize": 1_048_576 });
    w.patch(&format!("/organizations({id})"), theirs).await.expect(204);
    let fields = [
        ("was.pr_defaultincomingmethod", "2"),
        ("pr_defaultincomingmethod", "0"),
        ("was.requireapprovalforuseremail", "1"),
        ("requireapprovalforuseremail", "1"),
        ("was.maxuploadfilesize", "5242880"),
        ("maxuploadfilesize", "2048"),
    ];
    let page = admin.send("/settings/email", &fields).await.expect(409);
    page.sees("Forward Mailbox None").sees("for approved users No").sees("1024 2048");
});

story!(who_may_not_change_them_is_told, |w| {
    let mut sally = w.salesperson().await;
    let page = sally.open("/settings/email").await;
    if page.status == 200 {
        assert!(!page.text().contains("data-save"));
    }
    sally.send("/settings/email", &[("trackingprefix", "X:")]).await;
    assert_eq!(organization(&w).await.tracking_prefix, "CRM:");
    w.nobody().await.open("/settings/email").await.expect(403);
});
