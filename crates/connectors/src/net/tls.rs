//! TLS: whom to trust, and saying in words what is wrong with a certificate.

use std::sync::Arc;

use model::{Failure, FailureKind, Step};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;

/// One configuration for all connections, so that sessions are resumed.
pub(super) fn client_config(extra_ca: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "an authority of the operating system could not be read");
    }
    roots.add_parsable_certificates(native.certs);
    for certificate in extra_ca {
        roots.add(certificate.clone()).map_err(|e| {
            let detail = format!("a certificate of [servers] extra_ca cannot be used: {e}");
            Failure::new(FailureKind::Misconfigured, Step::Tls, detail)
        })?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Failure::new(FailureKind::Misconfigured, Step::Tls, e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Whether the error means that the peer does not speak TLS at all.
pub(super) fn is_not_tls(error: &std::io::Error) -> bool {
    let tls = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidMessage(_)))
}

/// What went wrong, in words that say what to do.
pub(super) fn failure(during: Step, host: &str, error: &rustls::Error) -> Failure {
    let (kind, detail) = match error {
        rustls::Error::InvalidCertificate(why) => (FailureKind::Misconfigured, certificate(host, why)),
        rustls::Error::InvalidMessage(_) => (
            FailureKind::Misconfigured,
            "the server does not speak TLS on this port; choose STARTTLS or another port".to_owned(),
        ),
        rustls::Error::AlertReceived(alert) => {
            (FailureKind::Misconfigured, format!("the server ended the TLS negotiation: {alert:?}"))
        }
        rustls::Error::PeerIncompatible(why) => (
            FailureKind::Misconfigured,
            format!("the server offers no TLS version or cipher that is safe ({why:?}); it needs TLS 1.2 or newer"),
        ),
        other => (FailureKind::Temporary, format!("TLS failed: {other}")),
    };
    Failure::new(kind, during, detail)
}

fn certificate(host: &str, why: &CertificateError) -> String {
    match why {
        CertificateError::NotValidForName => {
            format!("the certificate is for another host, not for {host}; use the name that it was issued for")
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented: Vec<_> = presented.iter().map(|name| plain_name(name)).collect();
            let presented = if presented.is_empty() { "nobody".to_owned() } else { presented.join(", ") };
            format!(
                "the certificate is for {presented}, not for {}; use the name that it was issued for",
                expected.to_str()
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; whoever runs the server has to renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; check the clocks of both machines".to_owned()
        }
        CertificateError::UnknownIssuer => "the server's certificate was issued by an authority that is not trusted \
             here; if it is your own, add it to [servers] extra_ca"
            .to_owned(),
        CertificateError::Revoked => "the server's certificate has been revoked".to_owned(),
        other => format!(
            "the server's certificate cannot be trusted ({other}); if it is self-signed, have it issued by an \
             authority and add that to [servers] extra_ca"
        ),
    }
}

/// `DnsName("mail.example.com")` as the verifier reports it → `mail.example.com`.
fn plain_name(reported: &str) -> &str {
    reported.split('"').nth(1).unwrap_or(reported)
}

/// Until when the certificate is valid, as `2027-01-31`, read from its
/// `Validity` (RFC 5280, section 4.1).
pub(super) fn valid_until(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = der(certificate)?;
    let (_, mut fields, _) = der(certificate)?;
    // [0] version, serialNumber, signature, issuer, validity
    if fields.first() == Some(&0xa0) {
        fields = der(fields)?.2;
    }
    for _ in 0..3 {
        fields = der(fields)?.2;
    }
    let (_, validity, _) = der(fields)?;
    let (_, _, rest) = der(validity)?;
    let (tag, time, _) = der(rest)?;
    let time = std::str::from_utf8(time).ok()?;
    let (year, rest) = match tag {
        // UTCTime: two digits, 50 and up are of the last century.
        0x17 => {
            let year = time.get(..2)?;
            let century = if year >= "50" { "19" } else { "20" };
            (format!("{century}{year}"), time.get(2..)?)
        }
        0x18 => (time.get(..4)?.to_owned(), time.get(4..)?),
        _ => return None,
    };
    Some(format!("{year}-{}-{}", rest.get(..2)?, rest.get(2..4)?))
}

/// One DER element: tag, content, what follows.
fn der(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let octets = usize::from(first & 0x7f);
        if octets == 0 || octets > 4 {
            return None;
        }
        let (length, rest) = rest.split_at_checked(octets)?;
        (length.iter().fold(0, |n, &b| n << 8 | usize::from(b)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
