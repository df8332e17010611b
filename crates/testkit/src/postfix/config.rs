//! What Postfix is told: main.cf and master.cf.

use std::path::Path;

use super::{Options, Ports};

/// main.cf for an instance that lives below `dir`.
#[expect(clippy::too_many_lines, reason = "it is the text of one file")]
pub(super) fn main_cf(dir: &Path, options: &Options) -> String {
    let auth = &options.auth_socket;
    let lmtp = options.lmtp_port;
    let dir = dir.display();
    let domains = options.domains.join(" ");
    format!(
        "compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
alternate_config_directories =
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C
myhostname = mx.localhost
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
# No name server is asked: a test stays on its machine.
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =
notify_classes =
biff = no
recipient_delimiter = +
default_transport = error:5.4.4 this mail system knows no way out
relayhost =

virtual_mailbox_domains = {domains} regexp:{dir}/config/domains
virtual_mailbox_maps = hash:{dir}/config/mailboxes
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
lmtp_destination_concurrency_limit = 20
lmtp_destination_recipient_limit = 50

# Everything happens soon: tests wait for it.
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 5s
in_flow_delay = 0
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
default_process_limit = 400

message_size_limit = {size}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtputf8_enable = yes
smtpd_discard_ehlo_keywords = {discard}

smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sender_restrictions = check_sender_access hash:{dir}/config/senders
smtpd_recipient_restrictions = check_recipient_access hash:{dir}/config/recipients
smtpd_end_of_data_restrictions = check_sender_access hash:{dir}/config/after_data
smtpd_tls_security_level = may
smtpd_tls_cert_file = {dir}/config/server.pem
smtpd_tls_key_file = {dir}/config/server.key
smtpd_tls_loglevel = 0
{extra}
",
        auth = auth.display(),
        size = options.message_size_limit,
        discard = options.hidden_extensions.join(", "),
        extra = options.extra,
    )
}

/// master.cf: the doors, then what every Postfix consists of.
pub(super) fn master_cf(ports: &Ports) -> String {
    let submission = " -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_delay_reject=yes
";
    let customers = ports.customers.number();
    let (starttls, tls, plain) = (ports.submission.number(), ports.submissions.number(), ports.plain.number());
    format!(
        "127.0.0.1:{customers} inet n - n - - smtpd -o syslog_name=postfix/customers
127.0.0.1:{starttls} inet n - n - - smtpd -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt -o smtpd_tls_auth_only=yes
 {submission}127.0.0.1:{tls} inet n - n - - smtpd -o syslog_name=postfix/submissions
  -o smtpd_tls_wrappermode=yes
 {submission}127.0.0.1:{plain} inet n - n - - smtpd -o syslog_name=postfix/plain
  -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no
 {submission}pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"
    )
}
