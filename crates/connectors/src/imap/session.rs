//! Logged in: folders, and the small commands on them.

use model::{Failure, FailureKind, Step};
use tokio::io::{AsyncRead, AsyncWrite};

use super::capabilities::Capabilities;
use super::engine::{Command, Engine, Listen};
use super::names;
use super::sequence::SequenceSet;
use super::wire::{NoLiterals, Response, Status};

/// What may be left out of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// COMPRESS=DEFLATE where the server offers it.
    pub compress: bool,
}

impl Options {
    /// Compression pays on a network and costs on the same machine.
    pub fn for_stream(stream: &crate::net::Stream) -> Self {
        Self { compress: !stream.is_loopback() }
    }
}

/// A logged-in connection.
pub struct Session<S> {
    pub(super) engine: Engine<S>,
    pub(super) open: Option<OpenFolder>,
    /// UTF8=ACCEPT is in force: names are UTF-8.
    utf8: bool,
    welcome: String,
}

/// The folder that is open, as the server described it when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFolder {
    pub name: String,
    pub read_only: bool,
    pub uid_validity: u32,
    /// Not every server says it.
    pub uid_next: Option<u32>,
    pub exists: u32,
    /// RFC 7162
    pub highest_modseq: Option<u64>,
}

/// One folder of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub name: String,
    pub delimiter: Option<char>,
    /// `\Sent`, `\Trash`, `\Noselect` …, as the server wrote them.
    pub attributes: Vec<String>,
}

impl Folder {
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a.eq_ignore_ascii_case(attribute))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    pub(super) fn new(engine: Engine<S>, welcome: String) -> Self {
        Self { engine, open: None, utf8: false, welcome }
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.engine.heard.capabilities
    }

    /// What the server said to the login.
    pub fn welcome(&self) -> &str {
        &self.welcome
    }

    /// The last lines of the conversation, without secrets.
    pub fn transcript(&self) -> Vec<String> {
        self.engine.heard.transcript.lines()
    }

    /// The folder that is open.
    pub fn open_folder(&self) -> Option<&OpenFolder> {
        self.open.as_ref()
    }

    /// The connection is of no use any more.
    pub fn is_broken(&self) -> bool {
        self.engine.is_broken()
    }

    /// Memory held for reading, in octets.
    pub fn buffered(&self) -> usize {
        self.engine.wire.buffered()
    }

    /// Introduces us, switches UTF-8 names and compression on: all in one
    /// round trip where the server can.
    pub async fn settle_in(&mut self, options: Options) -> Result<(), Failure> {
        let capabilities = self.capabilities().clone();
        let during = Step::LogIn;
        let mut ends = Vec::new();
        if capabilities.id {
            // Some providers refuse SELECT to clients that do not say who they are.
            ends.push(self.engine.queue(r#"ID ("name" "Postroom")"#));
        }
        let enable = (capabilities.enable && capabilities.utf8_accept).then(|| self.engine.queue("ENABLE UTF8=ACCEPT"));
        ends.extend(enable);
        if !ends.is_empty() {
            self.engine.flush(during).await?;
        }
        let mut utf8 = false;
        for tag in ends {
            let mut listen = Listen(|response: &Response<'_>| {
                if let Response::Enabled(what) = response {
                    utf8 |= String::from_utf8_lossy(what).to_ascii_uppercase().contains("UTF8=ACCEPT");
                }
            });
            // A refusal changes nothing.
            self.engine.finish(during, tag, &mut listen).await?;
        }
        self.utf8 = utf8;
        if options.compress && capabilities.compress_deflate {
            self.compress().await?;
        }
        Ok(())
    }

    /// COMPRESS DEFLATE (RFC 4978); a refusal leaves everything as it is.
    pub async fn compress(&mut self) -> Result<bool, Failure> {
        let done = self.engine.run(Step::LogIn, "COMPRESS DEFLATE", &mut NoLiterals).await?;
        let yes = done.status == Status::Ok;
        if yes {
            self.engine.wire.start_deflate();
        }
        Ok(yes)
    }

    /// All folders, with their special uses (RFC 6154) where the server says them.
    pub async fn list(&mut self) -> Result<Vec<Folder>, Failure> {
        let capabilities = self.capabilities();
        let extended = capabilities.special_use && (capabilities.list_extended || capabilities.imap4rev2);
        let command = if extended { r#"LIST "" "*" RETURN (SPECIAL-USE)"# } else { r#"LIST "" "*""# };
        let utf8 = self.utf8;
        let mut folders = Vec::new();
        let mut listen = Listen(|response: &Response<'_>| {
            if let Response::List(listed) = response {
                let attributes = listed.attributes.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
                let name = match utf8 {
                    true => String::from_utf8_lossy(&listed.name).into_owned(),
                    false => names::decode_utf7(&listed.name),
                };
                folders.push(Folder { name, delimiter: listed.delimiter.map(char::from), attributes });
            }
        });
        self.engine.run_long(Step::Open, command, &mut listen).await?.ok()?;
        Ok(folders)
    }

    /// The folder with a special use, e.g. `\Sent`, or with one of the names
    /// that are usual for it.
    pub async fn special_folder(&mut self, attribute: &str, names: &[&str]) -> Result<Option<String>, Failure> {
        let folders = self.list().await?;
        let usable = |f: &&Folder| !f.has("\\Noselect") && !f.has("\\NonExistent");
        if let Some(folder) = folders.iter().filter(usable).find(|f| f.has(attribute)) {
            return Ok(Some(folder.name.clone()));
        }
        // `Sent`, or `INBOX.Sent` where everything lives below the inbox.
        let matches = |folder: &Folder, name: &str| {
            let last = folder.delimiter.and_then(|d| folder.name.rsplit(d).next()).unwrap_or(&folder.name);
            let below_inbox = folder.name.len() >= 6 && folder.name.as_bytes()[..5].eq_ignore_ascii_case(b"INBOX");
            folder.name.eq_ignore_ascii_case(name) || (below_inbox && last.eq_ignore_ascii_case(name))
        };
        let found = names.iter().find_map(|name| folders.iter().filter(usable).find(|f| matches(f, name)));
        Ok(found.map(|f| f.name.clone()))
    }

    /// Opens a folder for reading only: nothing can become seen or recent.
    pub async fn examine(&mut self, folder: &str) -> Result<&OpenFolder, Failure> {
        self.open(folder, true).await
    }

    /// Opens a folder for reading and writing.
    pub async fn select(&mut self, folder: &str) -> Result<&OpenFolder, Failure> {
        self.open(folder, false).await
    }

    async fn open(&mut self, folder: &str, read_only: bool) -> Result<&OpenFolder, Failure> {
        self.open = None;
        let verb = if read_only { "EXAMINE" } else { "SELECT" };
        let mut command = Command::new(verb).string(&self.wire_name(folder));
        if self.capabilities().condstore {
            command = command.word("(CONDSTORE)");
        }
        let mut open = OpenFolder {
            name: folder.to_owned(),
            read_only,
            uid_validity: 0,
            uid_next: None,
            exists: 0,
            highest_modseq: None,
        };
        let mut listen = Listen(|response: &Response<'_>| match response {
            Response::Status { code: Some(code), .. } if code.is("UIDVALIDITY") => {
                open.uid_validity = code.number().unwrap_or(0);
            }
            Response::Status { code: Some(code), .. } if code.is("UIDNEXT") => open.uid_next = code.number(),
            Response::Status { code: Some(code), .. } if code.is("HIGHESTMODSEQ") => {
                open.highest_modseq = code.number();
            }
            Response::Exists(count) => open.exists = *count,
            _ => {}
        });
        let done = self.engine.run_with_literals(Step::Open, &command, &mut listen).await?.ok()?;
        open.read_only |= done.has_code("READ-ONLY");
        if open.uid_validity == 0 {
            let detail =
                format!("the server gives no UIDVALIDITY for '{folder}', so its messages cannot be told apart");
            return Err(Failure::garbled(Step::Open, detail).with_transcript(self.transcript()));
        }
        self.engine.heard.news = false;
        Ok(self.open.insert(open))
    }

    /// A folder name as this session has to write it.
    pub(super) fn wire_name(&self, name: &str) -> String {
        if self.utf8 { name.to_owned() } else { names::encode_utf7(name) }
    }

    /// Gives the server the occasion to tell us news; says whether it did.
    pub async fn noop(&mut self) -> Result<bool, Failure> {
        self.engine.run(Step::Read, "NOOP", &mut NoLiterals).await?.ok()?;
        Ok(self.engine.heard.news)
    }

    /// `UID SEARCH` in the open folder. `criteria` is ASCII as in RFC 9051, section 6.4.4.
    pub async fn uid_search(&mut self, criteria: &str) -> Result<SequenceSet, Failure> {
        self.search(Command::new("UID SEARCH"), |c| c.word(criteria)).await
    }

    /// `UID SEARCH HEADER`: messages whose field contains the text.
    pub async fn uid_search_header(&mut self, field: &str, text: &str) -> Result<SequenceSet, Failure> {
        self.search(Command::new("UID SEARCH"), |c| c.word("HEADER").word(field).string(text)).await
    }

    async fn search(
        &mut self,
        mut command: Command,
        criteria: impl FnOnce(Command) -> Command,
    ) -> Result<SequenceSet, Failure> {
        if self.capabilities().esearch {
            command = command.word("RETURN (ALL)");
        }
        let command = criteria(command);
        let mut found = SequenceSet::new();
        let mut listen = Listen(|response: &Response<'_>| {
            if let Response::Search(set) = response {
                found.extend(set);
            }
        });
        self.engine.run_with_literals(Step::Read, &command, &mut listen).await?.ok()?;
        Ok(found)
    }

    /// `UID STORE … +FLAGS.SILENT`; flags as on the wire, e.g. `\Flagged`.
    pub async fn add_flags(&mut self, uids: &SequenceSet, flags: &str) -> Result<(), Failure> {
        let command = format!("UID STORE {uids} +FLAGS.SILENT ({flags})");
        self.engine.run(Step::Settle, &command, &mut NoLiterals).await?.ok()?;
        Ok(())
    }

    /// Removes messages by UID and only those (RFC 4315).
    pub async fn uid_expunge(&mut self, uids: &SequenceSet) -> Result<(), Failure> {
        if !self.capabilities().uidplus {
            return Err(Failure::new(
                FailureKind::Refused,
                Step::Settle,
                "the server has no UIDPLUS, so nothing can be removed safely",
            ));
        }
        self.engine.run(Step::Settle, &format!("UID EXPUNGE {uids}"), &mut NoLiterals).await?.ok()?;
        Ok(())
    }

    /// Moves messages to another folder (RFC 6851). Returns where they went,
    /// `(UIDVALIDITY, UIDs)`, where the server says so (COPYUID).
    pub async fn uid_move(&mut self, uids: &SequenceSet, to: &str) -> Result<Option<(u32, SequenceSet)>, Failure> {
        let command = Command::new("UID MOVE").word(&uids.to_string()).string(&self.wire_name(to));
        let mut went = None;
        let mut listen = Listen(|response: &Response<'_>| {
            if let Response::Status { code: Some(code), .. } = response
                && code.is("COPYUID")
            {
                went = copy_uid(&String::from_utf8_lossy(code.arguments));
            }
        });
        let done = self.engine.run_with_literals(Step::Settle, &command, &mut listen).await?.ok()?;
        let tagged = done.code.filter(|(name, _)| name == "COPYUID").and_then(|(_, arguments)| copy_uid(&arguments));
        Ok(went.or(tagged))
    }

    /// Ends the session. Never by CLOSE, which would remove messages.
    pub async fn log_out(mut self) {
        let _whatever = self.engine.run(Step::Read, "LOGOUT", &mut NoLiterals).await;
    }
}

/// `38505 304,319:320 3956:3958`: the messages' new places.
fn copy_uid(arguments: &str) -> Option<(u32, SequenceSet)> {
    let mut words = arguments.split_ascii_whitespace();
    let uid_validity = words.next()?.parse().ok()?;
    let uids = SequenceSet::parse(words.nth(1)?.as_bytes());
    Some((uid_validity, uids))
}

#[cfg(test)]
mod tests;
