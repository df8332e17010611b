//! One mail transaction: MAIL, RCPT, DATA, the message, the final dot.

use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::{BodyFacts, MAX_LINE, Stuffed};
use super::classify::Command;
use super::command::{check_envelope, mail_from, needs_utf8, rcpt_to};
use super::reply::Reply;
use super::session::{LAST_WORDS, Session};
use crate::{Envelope, Receipt, RecipientResult, SendMail};

/// How much of a message goes into one write.
const PIECE: usize = 64 * 1024;
/// Recipients in one write. Their answers must fit into what the network buffers, or both
/// sides wait for each other (RFC 2920, section 3.1).
const RECIPIENTS_AT_ONCE: usize = 100;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> SendMail for Session<S> {
    async fn send(&mut self, envelope: &Envelope, message: &[u8]) -> Result<Receipt, Failure> {
        check_envelope(envelope)?;
        let facts = BodyFacts::of(message);
        self.check_message(envelope, facts)?;
        self.clear_the_line().await?;
        self.in_transaction = true;
        let begun = self.begin_mail(envelope, facts).await?;
        self.go_on(begun, message).await
    }
}

/// How the server answered to the envelope.
struct Begun {
    /// Why there is no transaction.
    mail: Option<Failure>,
    recipients: Vec<RecipientResult>,
    /// The answer to DATA, where it was asked already.
    data: Option<Reply>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// What can be known to fail without asking.
    fn check_message(&self, envelope: &Envelope, facts: BodyFacts) -> Result<(), Failure> {
        let refused = |detail: String| Err(Failure::new(FailureKind::Refused, Step::Send, detail));
        if let Some(limit) = self.capabilities.max_size
            && facts.size > limit
        {
            return refused(format!(
                "the message is too large: it has {}, the server takes at most {}",
                in_words(facts.size),
                in_words(limit)
            ));
        }
        let (length, number) = facts.longest_line;
        if length > MAX_LINE {
            return refused(format!(
                "line {number} of the message has {length} octets; SMTP allows {MAX_LINE} (RFC 5321, section 4.5.3.1.6)"
            ));
        }
        if needs_utf8(envelope) && !self.capabilities.smtp_utf8 {
            return refused(
                "an address or a header field of the message is not ASCII, and the server does not offer SMTPUTF8 \
                 (RFC 6531)"
                    .to_owned(),
            );
        }
        if facts.eight_bit && !self.capabilities.eight_bit_mime && !self.capabilities.smtp_utf8 {
            return refused(
                "the message has octets above 127, and the server does not offer 8BITMIME (RFC 6152); it has to be \
                 encoded as quoted-printable or base64"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Makes sure that the server is still there as far as can be seen, and has no transaction open.
    async fn clear_the_line(&mut self) -> Result<(), Failure> {
        if !self.usable {
            return Err(self.end(FailureKind::Temporary, Step::Send, "the session has ended; connect again"));
        }
        if self.lines.has_news().await {
            let reply = self.read_reply(Command::MailFrom, self.timeouts.command).await?;
            return Err(self.ended_by(Command::MailFrom, &reply));
        }
        if self.in_transaction { self.reset().await } else { Ok(()) }
    }

    async fn reset(&mut self) -> Result<(), Failure> {
        let reply = self.exchange(Command::Other, "RSET").await?;
        if !reply.is_positive() {
            return Err(self.ended_by(Command::Other, &reply));
        }
        self.in_transaction = false;
        Ok(())
    }

    async fn begin_mail(&mut self, envelope: &Envelope, facts: BodyFacts) -> Result<Begun, Failure> {
        let mail = mail_from(envelope, &self.capabilities, facts.size, facts.eight_bit);
        let rcpt: Vec<_> = envelope.to.iter().map(|to| rcpt_to(envelope, to, &self.capabilities)).collect();
        let mut begun = Begun { mail: None, recipients: Vec::with_capacity(rcpt.len()), data: None };
        if self.capabilities.pipelining {
            self.pipeline(envelope, &mail, &rcpt, &mut begun).await?;
        } else {
            self.step_by_step(envelope, &mail, &rcpt, &mut begun).await?;
        }
        Ok(begun)
    }

    /// RFC 2920: everything up to DATA in one write, then the replies in order.
    async fn pipeline(
        &mut self,
        envelope: &Envelope,
        mail: &str,
        rcpt: &[String],
        begun: &mut Begun,
    ) -> Result<(), Failure> {
        let groups = rcpt.len().div_ceil(RECIPIENTS_AT_ONCE);
        for (group, lines) in rcpt.chunks(RECIPIENTS_AT_ONCE).enumerate() {
            let (first, last) = (group == 0, group + 1 == groups);
            let mut commands = Vec::new();
            commands.extend(first.then_some(mail));
            commands.extend(lines.iter().map(String::as_str));
            commands.extend(last.then_some("DATA"));
            for command in &commands {
                self.transcript.sent(command);
            }
            self.write(Command::MailFrom, (commands.join("\r\n") + "\r\n").as_bytes()).await?;
            if first {
                let reply = self.reply_in_line(Command::MailFrom).await?;
                begun.mail = (!reply.is_positive()).then(|| self.refused(Command::MailFrom, &reply));
            }
            for address in envelope.to.iter().skip(group * RECIPIENTS_AT_ONCE).take(lines.len()) {
                let reply = self.reply_in_line(Command::RcptTo).await?;
                begun.recipients.push(self.recipient(address, &reply));
            }
            if last {
                begun.data = Some(self.reply_in_line(Command::Data).await?);
            } else if begun.mail.is_some() {
                break;
            }
        }
        Ok(())
    }

    async fn step_by_step(
        &mut self,
        envelope: &Envelope,
        mail: &str,
        rcpt: &[String],
        begun: &mut Begun,
    ) -> Result<(), Failure> {
        self.transcript.sent(mail);
        self.write(Command::MailFrom, format!("{mail}\r\n").as_bytes()).await?;
        let reply = self.reply_in_line(Command::MailFrom).await?;
        if !reply.is_positive() {
            begun.mail = Some(self.refused(Command::MailFrom, &reply));
            return Ok(());
        }
        for (address, line) in envelope.to.iter().zip(rcpt) {
            self.transcript.sent(line);
            self.write(Command::RcptTo, format!("{line}\r\n").as_bytes()).await?;
            let reply = self.reply_in_line(Command::RcptTo).await?;
            begun.recipients.push(self.recipient(address, &reply));
        }
        if begun.recipients.iter().any(|recipient| recipient.result.is_ok()) {
            self.transcript.sent("DATA");
            self.write(Command::Data, b"DATA\r\n").await?;
            begun.data = Some(self.reply_in_line(Command::Data).await?);
        }
        Ok(())
    }

    /// The reply to one of several commands. 421 ends them all, and so does an answer that shows
    /// that question and answer have come apart.
    async fn reply_in_line(&mut self, command: Command) -> Result<Reply, Failure> {
        let reply = self.read_reply(command, self.timeouts.command).await?;
        let out_of_turn = reply.is_intermediate() && command != Command::Data;
        if reply.code == 421 || out_of_turn { Err(self.ended_by(command, &reply)) } else { Ok(reply) }
    }

    fn recipient(&mut self, address: &str, reply: &Reply) -> RecipientResult {
        let result = if reply.is_positive() { Ok(reply.in_words()) } else { Err(self.refused(Command::RcptTo, reply)) };
        RecipientResult { address: address.to_owned(), result }
    }

    /// Sends the message where somebody is to get it, or takes everything back.
    async fn go_on(&mut self, begun: Begun, message: &[u8]) -> Result<Receipt, Failure> {
        let Begun { mail, recipients, data } = begun;
        let open = data.as_ref().is_some_and(Reply::is_intermediate);
        let wanted = mail.is_none() && recipients.iter().any(|recipient| recipient.result.is_ok());
        if open && wanted {
            let reply = self.send_message(message).await?;
            if !reply.is_positive() {
                return Err(self.refused(Command::FinalDot, &reply));
            }
            self.in_transaction = false;
            return Ok(Receipt { recipients, reply: reply.in_words() });
        }
        let failure = match (mail, data) {
            (Some(failure), _) => failure,
            (None, Some(reply)) if wanted => self.refused(Command::Data, &reply),
            (None, _) => nobody(&recipients).with_transcript(self.transcript.lines()),
        };
        // The session may be of use for the next message; where it is not, the next message says so.
        let _ = self.take_back(open).await;
        Err(failure)
    }

    /// Ends a transaction in which there is nothing to send.
    async fn take_back(&mut self, data_is_open: bool) -> Result<(), Failure> {
        if !self.usable {
            return Ok(());
        }
        if data_is_open {
            // RFC 2920, section 3.1: a server that takes DATA without a recipient gets an empty message.
            self.exchange(Command::FinalDot, ".").await?;
        }
        self.reset().await
    }

    /// Writes the message and returns the reply to the final dot.
    async fn send_message(&mut self, message: &[u8]) -> Result<Reply, Failure> {
        let mut stuffed = Stuffed::new(message);
        let mut piece = Vec::with_capacity(PIECE + 2048);
        self.transcript.note(&format!("the message, {} octets", message.len()));
        loop {
            piece.clear();
            let last = stuffed.fill(&mut piece, PIECE);
            if self.lines.has_news().await {
                return Err(self.interrupted().await);
            }
            if last {
                piece.extend_from_slice(b".\r\n");
            }
            if let Err(broken) = self.lines.write(&piece, self.timeouts.block).await {
                return Err(self.not_written(last, &broken.to_string()).await);
            }
            if last {
                return self.final_reply().await;
            }
        }
    }

    /// The server speaks, or has hung up, before the message is complete: it cannot have accepted it.
    async fn interrupted(&mut self) -> Failure {
        match self.read_reply(Command::FinalDot, self.timeouts.command).await {
            Ok(reply) if reply.code >= 400 => self.ended_by(Command::FinalDot, &reply),
            Ok(reply) => {
                let detail = format!("the server answered \"{}\" in the middle of the message", reply.in_words());
                self.end(FailureKind::Garbled, Step::Send, detail)
            }
            Err(failure) => failure,
        }
    }

    /// Not everything could be written. What the server said before it stopped reading counts;
    /// where it said nothing, the final dot may have reached it all the same.
    async fn not_written(&mut self, with_final_dot: bool, why: &str) -> Failure {
        match self.read_reply(Command::FinalDot, LAST_WORDS).await {
            Ok(reply) if reply.code >= 400 => self.ended_by(Command::FinalDot, &reply),
            _ if with_final_dot => self.uncertain(why),
            _ => self.end(FailureKind::Temporary, Step::Send, format!("the message could not be sent whole: {why}")),
        }
    }

    async fn final_reply(&mut self) -> Result<Reply, Failure> {
        self.transcript.sent(".");
        match self.read_reply(Command::FinalDot, self.timeouts.final_dot).await {
            Ok(reply) if reply.is_intermediate() => {
                Err(self.uncertain(&format!("the server answered \"{}\"", reply.in_words())))
            }
            Ok(reply) => Ok(reply),
            Err(failure) => Err(self.uncertain(&failure.detail)),
        }
    }

    fn uncertain(&mut self, why: &str) -> Failure {
        let detail =
            format!("the whole message was written, but no clear answer came, so it may have been accepted: {why}");
        self.end(FailureKind::Uncertain, Step::Send, detail)
    }
}

/// The failure of a message that no recipient was accepted for. Where another attempt may help
/// one of them, it is temporary.
fn nobody(recipients: &[RecipientResult]) -> Failure {
    let failures: Vec<_> =
        recipients.iter().filter_map(|one| Some((&one.address, one.result.as_ref().err()?))).collect();
    let temporary = failures.iter().find(|(_, failure)| failure.kind == FailureKind::Temporary);
    match (failures.as_slice(), temporary.or_else(|| failures.first())) {
        (_, None) => Failure::garbled(Step::Send, "the server did not answer for any recipient"),
        ([(address, only)], _) => Failure { detail: format!("<{address}>: {}", only.detail), ..(*only).clone() },
        (all, Some((_, decides))) => {
            let each: Vec<_> =
                all.iter().map(|(address, failure)| format!("<{address}>: {}", failure.detail)).collect();
            Failure { detail: format!("no recipient was accepted; {}", each.join("; ")), ..(*decides).clone() }
        }
    }
}

/// `10.2 MiB (10,695,475 octets)`.
fn in_words(octets: u64) -> String {
    let digits = octets.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let (unit, one) = if octets >= 1 << 20 { ("MiB", 1_u64 << 20) } else { ("KiB", 1 << 10) };
    let tenths = octets.saturating_mul(10) / one;
    format!("{}.{} {unit} ({grouped} octets)", tenths / 10, tenths % 10)
}
