//! Every way to log in, by flag and by environment, against the peer.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kit::{DEADLINE, until};

use crate::invocation::{command, peer, text};

/// The peer with a configuration of its own, TLS included; ends with this value.
struct Peer {
    child: Child,
    address: SocketAddr,
    file: PathBuf,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ended_before = self.child.kill();
        let _status = self.child.wait();
        let _removed_before = std::fs::remove_file(&self.file);
    }
}

fn start(config: &str) -> Option<Peer> {
    let Some(program) = peer() else {
        eprintln!("there is no nats-server: logins are not tested");
        return None;
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let port = address.port().to_string();
    let file = std::env::temp_dir().join(format!("dunlinctl-login-{}-{port}.conf", std::process::id()));
    std::fs::write(&file, config).expect("written");
    let mut command = Command::new(program.path());
    command.args(["-a", "127.0.0.1", "-p", &port, "-c"]).arg(&file);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the peer starts");
    let server = Peer { child, address, file };
    assert!(until(DEADLINE, || TcpStream::connect(address).is_ok()), "the peer listens");
    Some(server)
}

/// The exit code of a small run, with these flags and these variables.
fn code(server: &Peer, words: &str, variables: &[(&str, &Path)]) -> i32 {
    let mut command = command(server.address, &format!("pubsub --msgs 100 {words}"));
    let output = command.envs(variables.iter().copied()).output().expect("runs");
    let (out, err, code) = text(&output);
    let is_refused = err.contains("Authorization Violation") || err.contains("TLS") || out.contains("TLS");
    assert!(code == 0 || is_refused, "{out}{err}");
    code
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("dunlinctl-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn user_and_password() {
    let Some(server) = start("authorization { user: me, password: secret }") else { return };
    assert_eq!(code(&server, "", &[]), 2);
    assert_eq!(code(&server, "--user me --password wrong", &[]), 2);
    assert_eq!(code(&server, "--user me --password secret", &[]), 0);
    assert_eq!(code(&server, "", &[("NATS_USER", Path::new("me")), ("NATS_PASSWORD", Path::new("secret"))]), 0);
}

#[test]
fn token() {
    let Some(server) = start("authorization { token: t0k3n }") else { return };
    assert_eq!(code(&server, "--token other", &[]), 2);
    assert_eq!(code(&server, "--token t0k3n", &[]), 0);
    assert_eq!(code(&server, "", &[("NATS_TOKEN", Path::new("t0k3n"))]), 0);
}

#[test]
fn nkey() {
    let pair = nkeys::KeyPair::new_user();
    let config = format!("authorization {{ users: [ {{ nkey: {} }} ] }}", pair.public_key());
    let Some(server) = start(&config) else { return };
    let folder = folder("nkey");
    let (right, other) = (folder.join("right"), folder.join("other"));
    std::fs::write(&right, pair.seed().expect("a seed")).expect("written");
    std::fs::write(&other, nkeys::KeyPair::new_user().seed().expect("a seed")).expect("written");
    assert_eq!(code(&server, "", &[("NATS_NKEY", &right)]), 0);
    assert_eq!(code(&server, "", &[("NATS_NKEY", &other)]), 2);
    std::fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn tls_with_and_without_a_client_certificate() {
    let folder = folder("tls");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let other = folder.join("other.pem");
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    std::fs::write(&other, stranger.cert.pem()).expect("written");
    let files = format!("cert_file: {:?}, key_file: {:?}", cert, key);
    let Some(server) = start(&format!("tls {{ {files} }}")) else { return };
    assert_eq!(code(&server, "--size 4KiB", &[("NATS_CA", &cert)]), 0);
    assert_eq!(code(&server, "", &[("NATS_CA", &other)]), 2, "a server that nobody vouches for");
    assert_eq!(code(&server, "", &[]), 2, "no authority given");
    let Some(server) = start(&format!("tls {{ {files}, ca_file: {cert:?}, verify: true }}")) else { return };
    assert_eq!(code(&server, "", &[("NATS_CA", &cert), ("NATS_CERT", &cert), ("NATS_KEY", &key)]), 0);
    std::fs::remove_dir_all(folder).expect("ours");
}
