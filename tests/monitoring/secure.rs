//! Pages over TLS.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kit::{DEADLINE, Server, Setup};
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::browser::{Reply, connect, exchange, reply};
use crate::program;

/// A folder that goes with its value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dunlin-pages-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a new certificate that signs itself, and its key.
    fn certify(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name of a host");
        std::fs::write(self.file("cert.pem"), made.cert.pem()).expect("the folder is ours");
        std::fs::write(self.file("key.pem"), made.signing_key.serialize_pem()).expect("the folder is ours");
        CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("it was just made")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn start(folder: &Folder) -> Server {
    let path = |name: &str| folder.file(name).display().to_string();
    let tls =
        format!("cert_file: {:?}, key_file: {:?}, ca_file: {0:?}, verify: true", path("cert.pem"), path("key.pem"));
    Setup::new(&program(), 2).config(&format!("https: \"127.0.0.1:-1\"\ntls {{ {tls} }}\n")).start()
}

/// Asks over TLS, by whoever trusts this certificate; shows none of its own.
fn get(server: &Server, trusted: &CertificateDer<'static>, path: &str) -> Result<Reply, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of ours")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a configuration of ours");
    let mut stream = StreamOwned::new(connection, connect(server.page_address()));
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut all = Vec::new();
    // Its end is said, so that nobody can cut it short unseen.
    stream.read_to_end(&mut all)?;
    Ok(reply(&all))
}

#[test]
fn pages_are_served_through_tls_and_in_no_other_way() {
    let folder = Folder::new("tls");
    let certificate = folder.certify();
    let server = start(&folder);
    let varz = get(&server, &certificate, "/varz").expect("it answers").json();
    assert_eq!((&varz["https_port"], &varz["http_port"]), (&server.page_address().port().into(), &0.into()));
    assert_eq!(
        (&varz["tls_required"], &varz["tls_verify"], &varz["auth_timeout"]),
        (&true.into(), &true.into(), &3.into())
    );
    assert!(varz["tls_cert_not_after"].as_str().is_some_and(|at| at.ends_with('Z')), "{varz:#}");
    // More than a record, and more than the kernel takes at once.
    for _ in 0..3 {
        let metrics = get(&server, &certificate, "/metrics").expect("it answers");
        assert_eq!(metrics.header("Content-Length"), Some(metrics.body.len().to_string().as_str()));
        assert!(metrics.body.len() > 20_000);
    }
    let plain = exchange(server.page_address(), b"GET /varz HTTP/1.1\r\nHost: x\r\n\r\n");
    let told = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    assert_eq!(String::from_utf8_lossy(&plain), told);
    for noise in [&b"\x16\x03\x01\x00\x05hello"[..], b"\x16\x03\x01\xff\xff", b"\x16"] {
        let mut stream = connect(server.page_address());
        stream.write_all(noise).expect("it is open");
        stream.shutdown(std::net::Shutdown::Write).expect("it is open");
        drop(stream.read_to_end(&mut Vec::new()));
    }
    assert_eq!(get(&server, &certificate, "/healthz").expect("it answers").status, 200);
}

#[test]
fn a_reload_brings_a_new_certificate() {
    let folder = Folder::new("renewed");
    let old = folder.certify();
    let server = start(&folder);
    assert!(get(&server, &old, "/healthz").is_ok());
    let new = folder.certify();
    assert!(get(&server, &new, "/healthz").is_err(), "nobody has told the server");
    server.signal(Signal::HUP);
    assert!(server.log().find(DEADLINE, |line| line.contains("Reloaded server configuration")).is_some());
    assert!(get(&server, &new, "/healthz").is_ok(), "{}", server.log().tail());
    assert!(get(&server, &old, "/healthz").is_err());
    assert!(Path::new(&folder.file("key.pem")).exists());
}
