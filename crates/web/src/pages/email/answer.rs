//! Replying and forwarding: a draft with the original quoted in it.

use actions::{Context, Draft};
use axum::extract::Path;
use formats::{html, mime};
use model::mail::{Address, address_key, is_address};
use model::tables::{Attachment, Email, Participation};
use model::{Entity, Id, Ref};

use crate::pages::email::draft::{self, Upload};
use crate::pages::email::loaded::{self, Loaded};
use crate::pages::email::{compose, id, recipients, source};
use crate::pages::kit::{self, Desk, Fault, Form, Outcome};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Reply,
    All,
    Forward,
}

/// `POST /work/emails/{id}/answer`
pub(super) async fn begin(desk: Desk, Path(name): Path<String>, form: Form) -> Outcome {
    let how = match form.text("how") {
        "reply" => How::Reply,
        "all" => How::All,
        "forward" => How::Forward,
        _ => return Err(Fault::bad("Say how: reply, all or forward.")),
    };
    let original = loaded::load(&desk.ctx, id(&name)?).await?;
    let from = sender(&desk.ctx, &original).await?;
    let quoted = quoted(&desk, &original, how);
    let email = &original.email;
    let mut draft = Draft::new(Email::TABLE)
        .with(Email::C.is_outgoing, true)
        .with(Email::C.subject, subject(&email.subject, how))
        .with(Email::C.description, html::compose(&compose::signature(&desk).await?, &quoted))
        .with(Email::C.regarding, email.regarding);
    if how != How::Forward {
        // In-Reply-To, References and the conversation follow from it.
        draft = draft.with(Email::C.parent, Some(email.reference()));
    }
    let mut parties = vec![draft::sender(from)];
    if how != How::Forward {
        let own = own_addresses(&desk.ctx, from).await?;
        for (kind, people) in people(&original, how, &own) {
            let text: Vec<String> = people.iter().map(|a| recipients::shown(&a.name, &a.address)).collect();
            parties.extend(recipients::parties(&desk.ctx, kind, &text.join("; "), false).await?);
        }
    }
    let answer = actions::create(&desk.ctx, draft::with_parties(draft, parties)).await?;
    copy_files(&desk.ctx, &original, answer, how, &quoted).await?;
    kit::go(&format!("/work/emails/{answer}/edit"))
}

/// The queue that the original came for, if one may write in its name; else oneself.
async fn sender(ctx: &Context, original: &Loaded) -> Result<Ref, Fault> {
    let wanted = original.email.accepting_entity.filter(|who| who.table == "queue");
    let own = ctx.actor.reference();
    let Some(queue) = wanted else { return Ok(own) };
    let senders = actions::senders::list(ctx).await?;
    Ok(if senders.iter().any(|s| s.who == queue) { queue } else { own })
}

/// Addresses that are not answered to: they are the answerer's.
async fn own_addresses(ctx: &Context, from: Ref) -> Result<Vec<String>, Fault> {
    let mut own = vec![address_key(&ctx.actor.address)];
    let senders = actions::senders::list(ctx).await?;
    own.extend(senders.iter().filter(|s| s.who == from).map(|s| address_key(&s.address)));
    Ok(own)
}

/// Who gets the answer, field by field.
fn people(original: &Loaded, how: How, own: &[String]) -> Vec<(Participation, Vec<Address>)> {
    let of = |kind| original.of_kind(kind).map(|p| Address::new(p.name.clone(), p.address.clone()));
    let mut to: Vec<Address> = if original.email.is_outgoing {
        of(Participation::To).collect()
    } else {
        let replies = reply_to(&original.email.headers);
        if replies.is_empty() { of(Participation::Sender).collect() } else { replies }
    };
    let mut cc = Vec::new();
    if how == How::All {
        to.extend(of(Participation::To));
        cc.extend(of(Participation::Cc));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut others = |all: Vec<Address>| -> Vec<Address> {
        let fits = |a: &Address| is_address(&a.address) && !own.contains(&a.key());
        let mut new = Vec::new();
        for address in all.into_iter().filter(fits) {
            if !seen.contains(&address.key()) {
                seen.push(address.key());
                new.push(address);
            }
        }
        new
    };
    let to = others(to);
    vec![(Participation::To, to), (Participation::Cc, others(cc))]
}

/// Where the sender wants answers (RFC 5322, section 3.6.2).
fn reply_to(headers: &str) -> Vec<Address> {
    let fields = source::fields(headers);
    let field = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("reply-to"));
    let read = field.map(|(_, value)| recipients::read(value)).unwrap_or_default();
    read.into_iter().filter(|a| is_address(&a.address)).collect()
}

fn subject(subject: &str, how: How) -> String {
    const REPLIES: &[&str] = &["re:", "aw:", "antw:", "sv:", "rv:"];
    const FORWARDS: &[&str] = &["fw:", "fwd:", "wg:", "tr:"];
    let (already, prefix) = if how == How::Forward { (FORWARDS, "Fw:") } else { (REPLIES, "Re:") };
    let lower = subject.trim_start().to_lowercase();
    let whole = if already.iter().any(|p| lower.starts_with(p)) {
        subject.trim_start().to_owned()
    } else {
        format!("{prefix} {subject}").trim_end().to_owned()
    };
    whole.chars().take(800).collect()
}

/// The original as it stands below the answer.
fn quoted(desk: &Desk, original: &Loaded, how: How) -> String {
    let texts = desk.viewer.texts;
    let email = &original.email;
    let at = email.received_on.or(email.sent_on).map(|at| desk.viewer.time(at)).unwrap_or_default();
    let body = html::quotable(&email.description);
    let list = |kind| recipients::write(&original.of_kind(kind).collect::<Vec<_>>());
    let sender = list(Participation::Sender);
    if how != How::Forward {
        let line = texts.with("On {0}, {1} wrote:", &[&at, &sender]);
        return format!("<p>{}</p><blockquote type=\"cite\">{body}</blockquote>", escaped(&line));
    }
    let mut head = String::new();
    let rows = [
        ("From", sender),
        ("Sent", at),
        ("To", list(Participation::To)),
        ("Cc", list(Participation::Cc)),
        ("Subject", email.subject.clone()),
    ];
    for (label, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        head.push_str(&format!("<b>{}:</b> {}<br>", escaped(texts.text(label)), escaped(value)));
    }
    format!("<hr><p>{head}</p>{body}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A forwarded email takes its files along, an answer the pictures in its text.
async fn copy_files(ctx: &Context, original: &Loaded, answer: Id, how: How, quoted: &str) -> Result<(), Fault> {
    for attachment in &original.attachments {
        let id = attachment.content_id.trim().trim_matches(['<', '>']);
        let in_text = !id.is_empty() && quoted.contains(&format!("src=\"cid:{}\"", escaped(id)));
        if how != How::Forward && !in_text {
            continue;
        }
        let Some(content) = actions::attachment::content(ctx, attachment.id).await? else { continue };
        let bytes = mime::extract(&content.stored, &content.place);
        copy(ctx, answer, attachment, bytes, in_text).await?;
    }
    Ok(())
}

/// What is blocked or too large by now is left out: the one who forwards sees
/// what is there.
async fn copy(ctx: &Context, answer: Id, attachment: &Attachment, bytes: Vec<u8>, in_text: bool) -> Result<(), Fault> {
    let file = Upload { name: attachment.file_name.clone(), kind: attachment.mime_type.clone(), bytes };
    let content_id = if in_text { attachment.content_id.as_str() } else { "" };
    let refused = draft::attach_as(ctx, answer, file, content_id).await?;
    for refusal in refused {
        tracing::debug!(code = refusal.code, "a file of an email was not taken along");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        assert_eq!(subject("Hello", How::Reply), "Re: Hello");
        assert_eq!(subject("RE: Hello", How::All), "RE: Hello");
        assert_eq!(subject("AW: Hello", How::Reply), "AW: Hello");
        assert_eq!(subject("Re: Hello", How::Forward), "Fw: Re: Hello");
        assert_eq!(subject("", How::Reply), "Re:");
    }
    #[test]
    fn answers_go_where_the_sender_wants() {
        let to = reply_to("From: a@x.example\nReply-To: Team <team@x.example>,\n b@x.example\n");
        assert_eq!(to, [Address::new("Team", "team@x.example"), Address::new("", "b@x.example")]);
        assert_eq!(reply_to("Reply-To: nobody\n"), []);
    }
}
