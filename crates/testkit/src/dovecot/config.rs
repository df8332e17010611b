//! What Dovecot is told: the text of its configuration, per version.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

use super::{Options, Ports};
use crate::unix::{self, Account};

/// What a configuration is made from.
pub(super) struct Setting<'a> {
    pub(super) dir: &'a Path,
    pub(super) ports: &'a Ports,
    pub(super) options: &'a Options,
    /// The owner of all mail.
    pub(super) owner: Account,
}

/// The whole configuration for the Dovecot whose `dovecot --version` printed
/// `version`.
pub(super) fn text(version: &str, setting: &Setting) -> Result<String> {
    if !version.starts_with("2.3.") {
        bail!("testkit has a configuration for Dovecot 2.3, and this is {version}");
    }
    let mut text = general(setting);
    text += &accounts(setting)?;
    text += &services(setting);
    text += &sieve(setting);
    text += &setting.options.extra;
    Ok(text)
}

fn general(setting: &Setting) -> String {
    let dir = setting.dir.display();
    let listen = if setting.options.tls_required { "127.0.0.2" } else { "127.0.0.1, 127.0.0.2" };
    format!(
        "base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap pop3 lmtp sieve
listen = {listen}
ssl = yes
ssl_cert = <{dir}/tls/server.pem
ssl_key = <{dir}/tls/server.key
ssl_min_protocol = TLSv1.2
mail_location = maildir:~/Maildir
# Throw-away data: what a power failure would cost is not worth the wait.
mail_fsync = never
mail_max_userip_connections = 1000
recipient_delimiter = +
postmaster_address = postmaster@localhost
hostname = localhost
default_process_limit = 600
default_client_limit = 2000
# Up to 64 MiB of message in a process that maps its files.
default_vsz_limit = 1 G
mail_plugins = zlib
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Drafts {{
    special_use = \\Drafts
  }}
  mailbox Trash {{
    special_use = \\Trash
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
}}
protocol imap {{
  mail_plugins = zlib imap_zlib
}}
protocol lmtp {{
  mail_plugins = zlib sieve
}}
"
    )
}

fn accounts(setting: &Setting) -> Result<String> {
    let dir = setting.dir.display();
    let mut text = format!(
        "auth_mechanisms = {mechanisms}
auth_username_format = %Lu
auth_verbose = yes
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {uid}
mail_gid = {gid}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Lu {dir}/users/%Lu
  mechanisms = plain login scram-sha-256 cram-md5
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Lu {dir}/users/%Lu
  # For deliveries and other lookups that carry no password.
  mechanisms = lookup none
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
userdb {{
  driver = passwd-file
  args = username_format=%Lu {dir}/users/%Lu
}}
",
        mechanisms = setting.options.mechanisms,
        uid = setting.owner.uid,
        gid = setting.owner.gid,
    );
    if !unix::is_root() {
        let name = unix::account_name(setting.owner.uid)?;
        write!(
            text,
            "default_internal_user = {name}\ndefault_login_user = {name}\ndefault_internal_group = {}\n",
            setting.owner.gid
        )?;
    }
    Ok(text)
}

fn services(setting: &Setting) -> String {
    let ports = setting.ports;
    // Only root may chroot; for others the login processes stay outside.
    let chroot = if unix::is_root() { "" } else { "  chroot =\n" };
    let login = |name: &str, listeners: &str| {
        // The "high-performance mode": a few processes for all connections.
        format!(
            "service {name}-login {{
{chroot}  service_count = 0
  process_min_avail = 1
  process_limit = 8
  client_limit = 1000
{listeners}}}
"
        )
    };
    let listener = |name: &str, port: u16, tls: bool| {
        let ssl = if tls { "    ssl = yes\n" } else { "" };
        format!("  inet_listener {name} {{\n    port = {port}\n{ssl}  }}\n")
    };
    let imap = listener("imap", ports.imap.number(), false) + &listener("imaps", ports.imaps.number(), true);
    let pop3 = listener("pop3", ports.pop3.number(), false) + &listener("pop3s", ports.pop3s.number(), true);
    let sieve = listener("sieve", ports.managesieve.number(), false);
    let mut text = login("imap", &imap) + &login("pop3", &pop3) + &login("managesieve", &sieve);
    for name in ["imap", "pop3"] {
        text += &format!("service {name} {{\n  service_count = 256\n  process_limit = 600\n  client_limit = 1\n}}\n");
    }
    text += &format!("service lmtp {{\n  service_count = 256\n{}}}\n", listener("lmtp", ports.lmtp.number(), false));
    text += "service auth {
  client_limit = 5000
  unix_listener auth-smtp {
    mode = 0666
  }
}
service anvil {
  client_limit = 5000
  # No growing delays for an address that failed to log in.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
";
    text
}

fn sieve(setting: &Setting) -> String {
    let dir = setting.dir.display();
    let mut text = format!(
        "plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_plugins = sieve_extprograms
  sieve_extensions = +vnd.dovecot.pipe +vnd.dovecot.environment
  sieve_pipe_bin_dir = {dir}/sieve-pipe
  sieve_pipe_exec_timeout = 60s
}}
"
    );
    if let Some(port) = setting.options.smtp_port {
        text += &format!("submission_host = 127.0.0.1:{port}\n");
    }
    text
}
