//! Every way to log in, by flag and by environment, against the peer.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kit::{DEADLINE, until};

use crate::invocation::{command, peer, text, without_server};
use crate::operator::Operator;

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
    judged(command.envs(variables.iter().copied()))
}

/// The exit code of a run, which either goes well or is refused in words.
fn judged(command: &mut Command) -> i32 {
    let output = command.output().expect("runs");
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
    let url = format!("nats://t0k3n@{}", server.address);
    assert_eq!(judged(without_server("pubsub --msgs 100").env("NATS_URL", url)), 0);
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
    assert_eq!(code(&server, &format!("--nkey {}", right.display()), &[]), 0);
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
    assert_eq!(code(&server, "", &[]), 2, "nobody whom this host trusts");
    // What the host trusts can be said by a variable, as for other programs.
    assert_eq!(code(&server, "", &[("SSL_CERT_FILE", &cert)]), 0);
    assert_eq!(code(&server, "--tls", &[("SSL_CERT_FILE", &other)]), 2);
    let Some(server) = start(&format!("tls {{ {files}, ca_file: {cert:?}, verify: true }}")) else { return };
    assert_eq!(code(&server, "", &[("NATS_CA", &cert), ("NATS_CERT", &cert), ("NATS_KEY", &key)]), 0);
    let (ca, cert, key) = (cert.display(), cert.display(), key.display());
    assert_eq!(code(&server, &format!("--tlsca {ca} --tlscert {cert} --tlskey {key}"), &[]), 0);
    assert_eq!(code(&server, &format!("--tlsca {ca}"), &[]), 2, "the server wants to know who we are");
    let Some(server) = start(&format!("tls {{ {files}, handshake_first: true }}")) else { return };
    assert_eq!(code(&server, &format!("--tlsca {ca} --tlsfirst"), &[]), 0);
    std::fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn credentials() {
    let operator = Operator::new();
    let Some(server) = start(&operator.config()) else { return };
    let folder = folder("creds");
    let (right, stranger) = (folder.join("right.creds"), folder.join("stranger.creds"));
    std::fs::write(&right, operator.creds()).expect("written");
    std::fs::write(&stranger, Operator::new().creds()).expect("written");
    let flag = |file: &Path| format!("--creds {}", file.display());
    assert_eq!(code(&server, &flag(&right), &[]), 0);
    assert_eq!(code(&server, "", &[("NATS_CREDS", &right)]), 0);
    assert_eq!(code(&server, &flag(&stranger), &[]), 2, "an operator whom the server does not know");
    assert_eq!(code(&server, "", &[]), 2);
    std::fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn contexts_of_the_nats_command() {
    let operator = Operator::new();
    let Some(with_creds) = start(&operator.config()) else { return };
    let Some(with_password) = start("authorization { user: me, password: secret }") else { return };
    let folder = folder("contexts");
    let (config, creds) = (folder.join("nats"), folder.join("user.creds"));
    std::fs::create_dir_all(config.join("context")).expect("a folder");
    std::fs::write(&creds, operator.creds()).expect("written");
    let context = |name: &str, value: serde_json::Value| {
        std::fs::write(config.join("context").join(format!("{name}.json")), value.to_string()).expect("written");
    };
    let url = |server: &Peer| format!("nats://{}", server.address);
    context("creds", serde_json::json!({"url": url(&with_creds), "creds": creds}));
    context("login", serde_json::json!({"url": url(&with_password), "user": "me", "password": "secret"}));
    let run = |words: &str, variables: &[(&str, &Path)]| {
        let mut command = without_server(&format!("pubsub --msgs 100 {words}"));
        judged(command.env("XDG_CONFIG_HOME", &folder).envs(variables.iter().copied()))
    };
    assert_eq!(run("--context creds", &[]), 0);
    assert_eq!(run("", &[("NATS_CONTEXT", Path::new("login"))]), 0);
    assert_eq!(run("--context login --user me --password wrong", &[]), 2, "a flag comes before the context");
    std::fs::write(config.join("context.txt"), "login").expect("written");
    assert_eq!(run("", &[]), 0, "the selected one");
    assert_eq!(
        run(&format!("--server {}", url(&with_password)), &[]),
        2,
        "a server that is named gets no other's login"
    );
    std::fs::remove_dir_all(folder).expect("ours");
}
