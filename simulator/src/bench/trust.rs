//! A throw-away authority for the store's TLS. The function trusts it beside all that the machine trusts, so that it has
//! as many certificates to read as it would have in Lambda.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Result, failed, io};

const MACHINE_TRUSTS: &str = "/etc/ssl/certs/ca-certificates.crt";

pub(super) struct Trust {
    pub(super) acceptor: TlsAcceptor,
    /// For SSL_CERT_FILE.
    pub(super) bundle: PathBuf,
    pub(super) certificates: usize,
    _folder: TempDir,
}

impl Trust {
    pub(super) fn new() -> Result<Self> {
        let mut authority = CertificateParams::new(Vec::new()).map_err(failed)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().map_err(failed)?;
        let authority = CertifiedIssuer::self_signed(authority, key).map_err(failed)?;
        let key = KeyPair::generate().map_err(failed)?;
        let server = CertificateParams::new(vec!["localhost".to_owned()])
            .and_then(|server| server.signed_by(&key, &authority))
            .map_err(failed)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], private)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let folder = tempfile::tempdir().map_err(io("a folder for certificates"))?;
        let bundle = folder.path().join("authorities.pem");
        let machine = std::fs::read_to_string(MACHINE_TRUSTS).unwrap_or_default();
        let all = format!("{machine}\n{}", authority.pem());
        std::fs::write(&bundle, &all).map_err(io("the certificates"))?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            bundle,
            certificates: all.matches("BEGIN CERTIFICATE").count(),
            _folder: folder,
        })
    }
}
