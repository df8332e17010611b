//! What the tests against real servers share.

use std::time::Duration;

use connectors::net::{Dialer, Endpoint, NetConfig, Security};
use connectors::sasl::Credentials;
use model::Secret;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// A dialer that trusts this authority and may reach loopback.
pub fn dialer(ca_pem: &str) -> Dialer {
    let extra_ca = CertificateDer::pem_slice_iter(ca_pem.as_bytes()).collect::<Result<_, _>>().unwrap();
    let allow_networks = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    Dialer::new(NetConfig { extra_ca, allow_insecure: true, allow_networks, ..NetConfig::default() }).unwrap()
}

pub fn endpoint(port: u16, security: Security) -> Endpoint {
    let wait = Duration::from_secs(20);
    Endpoint { host: "localhost".into(), port, security, connect_timeout: wait, command_timeout: wait }
}

pub fn password(user: &str, password: &str) -> Credentials {
    Credentials::Password { user: user.into(), password: Secret::new(password) }
}

/// A small message with a subject, a Message-ID and this body.
pub fn message(number: usize, body: &str) -> Vec<u8> {
    format!(
        "From: Cora <cora@customer.example>\r\nTo: ann@crm.example\r\nSubject: Number {number}\r\n\
         Message-ID: <m{number}@customer.example>\r\nDate: Thu, 5 Nov 2020 14:00:00 +0100\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}
