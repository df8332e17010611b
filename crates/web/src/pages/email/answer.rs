//! Replying and forwarding: a sheet with the original quoted below it. Nothing
//! is saved before somebody has written something.

use actions::Context;
use axum::extract::Path;
use axum::http::StatusCode;
use formats::{html, mime};
use model::mail::{Address, address_key, is_address};
use model::tables::{Attachment, Participation};
use model::{Entity, Id, Ref};

use crate::pages::email::compose::{self, form};
use crate::pages::email::draft::{self, Sheet, Upload};
use crate::pages::email::loaded::{self, Loaded};
use crate::pages::email::{id, recipients, source};
use crate::pages::kit::{Desk, Fault, Form, Outcome};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Reply,
    All,
    Forward,
}

impl How {
    pub fn of(word: &str) -> Option<Self> {
        [Self::Reply, Self::All, Self::Forward].into_iter().find(|how| how.word() == word)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::All => "all",
            Self::Forward => "forward",
        }
    }
}

/// What a new draft takes from another email.
#[derive(Default)]
pub(super) struct Origin {
    pub quoted: String,
    pub parent: Option<Ref>,
    /// Each with whether it stands in the text.
    pub files: Vec<(Attachment, bool)>,
}

/// `GET /work/emails/{id}/answer?how=reply|all|forward`
pub(super) async fn begin(desk: Desk, Path(name): Path<String>) -> Outcome {
    let how = How::of(desk.query.text("how")).ok_or_else(|| Fault::bad("Say how: reply, all or forward."))?;
    let original = loaded::load(&desk.ctx, id(&name)?).await?;
    let sheet = sheet(&desk, &original, how).await?;
    form::show(&desk, &sheet, &[], StatusCode::OK).await
}

async fn sheet(desk: &Desk, original: &Loaded, how: How) -> Result<Sheet, Fault> {
    let email = &original.email;
    let from = sender(&desk.ctx, original).await?;
    let mut sheet = Sheet {
        answers: Some((email.id, how)),
        from: Some(from),
        subject: subject(&email.subject, how),
        body: compose::signature(desk).await?.below_blank_lines(),
        regarding: email.regarding,
        ..Sheet::default()
    };
    if how != How::Forward {
        let own = own_addresses(&desk.ctx, from).await?;
        for (kind, people) in people(original, how, &own) {
            let text: Vec<String> = people.iter().map(|a| recipients::shown(&a.name, &a.address)).collect();
            let field = if kind == Participation::To { &mut sheet.to } else { &mut sheet.cc };
            *field = text.join("; ");
        }
    }
    Ok(sheet)
}

impl Origin {
    /// Of an answer: In-Reply-To, References and the conversation follow from
    /// the parent. A forwarded email takes its files along, an answer the
    /// pictures in its text.
    pub fn of_answer(desk: &Desk, original: &Loaded, how: How) -> Self {
        let quoted = quoted(desk, original, how);
        let in_text = |a: &Attachment| {
            let id = a.content_id.trim().trim_matches(['<', '>']);
            !id.is_empty() && quoted.contains(&format!("src=\"cid:{}\"", escaped(id)))
        };
        let files = original.attachments.iter().map(|a| (a.clone(), in_text(a)));
        Self {
            files: files.filter(|(_, in_text)| how == How::Forward || *in_text).collect(),
            parent: (how != How::Forward).then(|| original.email.reference()),
            quoted,
        }
    }

    /// Of a second draft beside one that somebody else has changed.
    pub fn of_draft(standing: &Loaded) -> Self {
        let files = standing.attachments.iter().map(|a| (a.clone(), !a.content_id.trim().is_empty()));
        Self {
            quoted: html::decompose(&standing.email.description).1,
            parent: standing.email.parent,
            files: files.collect(),
        }
    }

    /// What is blocked or too large by now is left out: the one who writes
    /// sees what is there.
    pub async fn copy_files(&self, ctx: &Context, to: Id) -> Result<(), Fault> {
        for (attachment, in_text) in &self.files {
            let Some(content) = actions::attachment::content(ctx, attachment.id).await? else { continue };
            let bytes = mime::extract(&content.stored, &content.place);
            let file = Upload { name: attachment.file_name.clone(), kind: attachment.mime_type.clone(), bytes };
            let content_id = if *in_text { attachment.content_id.as_str() } else { "" };
            for refusal in draft::attach_as(ctx, to, file, content_id).await? {
                tracing::debug!(code = refusal.code, "a file of an email was not taken along");
            }
        }
        Ok(())
    }
}

/// What a form says of the email that it answers.
pub(super) fn of_form(form: &Form) -> Option<(Id, How)> {
    Some((form.id("answers")?, How::of(form.text("how"))?))
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
pub(super) fn quoted(desk: &Desk, original: &Loaded, how: How) -> String {
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
