//! TLS for the listener: the certificate and its key from files, read again
//! when they change. A pair that cannot be used changes nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use model::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The oldest protocol that a client may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

/// Why a certificate cannot be used, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCertificate(String);

impl std::fmt::Display for BadCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadCertificate {}

/// The listener's certificate.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    acceptor_config: Arc<ServerConfig>,
    shown: Arc<Shown>,
    looked: Mutex<Looked>,
}

/// The certificate that clients are shown now.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// What was found in the files, as digests.
#[derive(Debug, Default, PartialEq, Eq)]
struct Looked {
    used: u64,
    refused: Option<u64>,
    told: Option<u64>,
}

impl Tls {
    /// Reads the PEM files: the chain, the server's own certificate first, and
    /// its private key.
    ///
    /// # Errors
    /// In words that name the file and what is wrong with it.
    pub fn load(certificate: &Path, key: &Path, oldest: TlsVersion) -> Result<Self, BadCertificate> {
        let files = Files::read(certificate, key)?;
        let pair = files.pair(certificate, key)?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(pair))));
        let versions: &[&rustls::SupportedProtocolVersion] = match oldest {
            TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            TlsVersion::Tls13 => &[&rustls::version::TLS13],
        };
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .map_err(|e| BadCertificate(format!("TLS cannot be set up: {e}")))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            acceptor_config: Arc::new(config),
            shown,
            looked: Mutex::new(Looked { used: files.digest(), ..Looked::default() }),
        })
    }

    /// When the certificate that is shown ends to be valid.
    pub fn expires(&self) -> Option<Timestamp> {
        let shown = self.shown.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(formats::x509::validity(shown.cert.first()?)?.not_after)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.acceptor_config))
    }

    /// Looks at the files from now on; never ends.
    pub async fn watch(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.look(false);
        }
    }

    /// Reads the files again because somebody asked to.
    pub fn reload(&self) {
        self.look(true);
    }

    /// Takes a new pair if there is one. One that cannot be used is told of
    /// when it is still there at the second look (two files are not written at
    /// once), or at once when `asked`.
    fn look(&self, asked: bool) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let files = Files::read(&self.certificate, &self.key);
        let digest = files.as_ref().map_or(0, Files::digest);
        if digest == looked.used {
            looked.refused = None;
            looked.told = None;
            if asked {
                tracing::info!("the certificate has not changed");
            }
            return;
        }
        match files.and_then(|files| files.pair(&self.certificate, &self.key)) {
            Ok(pair) => {
                *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                *looked = Looked { used: digest, ..Looked::default() };
                let expires = self.expires().map(|at| at.to_string()).unwrap_or_default();
                tracing::info!(file = %self.certificate.display(), expires, "Good: the new certificate is in use");
            }
            Err(error) => {
                let again = looked.refused == Some(digest);
                if (asked || again) && looked.told != Some(digest) {
                    tracing::error!(
                        %error,
                        "Bad: the new certificate cannot be used; the old one stays in use. Put a certificate and the key that belongs to it into both files"
                    );
                    looked.told = Some(digest);
                }
                looked.refused = Some(digest);
            }
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What stands in the two files. No `Debug`: one of them is a secret.
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn read(certificate: &Path, key: &Path) -> Result<Self, BadCertificate> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|e| BadCertificate(format!("{} cannot be read: {e}", path.display())))
        };
        Ok(Self { certificate: read(certificate)?, key: read(key)? })
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.certificate.hash(&mut hasher);
        self.key.hash(&mut hasher);
        hasher.finish().max(1)
    }

    fn pair(&self, certificate: &Path, key: &Path) -> Result<CertifiedKey, BadCertificate> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.map_err(|e| BadCertificate(format!("{} is not PEM: {e}", certificate.display())))?;
        if chain.is_empty() {
            return Err(BadCertificate(format!("{} contains no certificate", certificate.display())));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| BadCertificate(format!("{} contains no private key in PEM", key.display())))?;
        CertifiedKey::from_der(chain, private, &provider()).map_err(|e| {
            let (certificate, key) = (certificate.display(), key.display());
            BadCertificate(match e {
                rustls::Error::InconsistentKeys(_) => {
                    format!("the key in {key} does not belong to the first certificate in {certificate}")
                }
                other => format!("{certificate} and {key} cannot be used: {other}"),
            })
        })
    }
}
