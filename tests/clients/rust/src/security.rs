//! Logins, permissions, accounts and TLS as the Rust client meets them.
//!
//! Every scenario starts a server of its own with one of the configurations that `fixture.sh` writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, RequestErrorKind, ServerError};
use bytes::Bytes;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

use crate::scenarios::{DEADLINE, Outcome, answer, bounded, check, next, round_trip, wait_for};
use crate::{Failure, server::Server};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixture.sh");
/// Its public key is in the configuration; the other's is not.
const SEED: &str = "SUAMQ7MWGQYACNCAS5WM24AUC24ROMOGZONINUZZSSXKQF2EBYGOM7UCBM";
const OTHER_SEED: &str = "SUAL7D6HC3PARQK7RTDTMXTV4GUSKX35YEVAQQS7773VFPIUVITDZZ3ZXM";
/// How many there are.
pub(crate) const COUNT: usize = 14;

fn login(user: &str, password: &str) -> ConnectOptions {
    ConnectOptions::with_user_and_password(user.into(), password.into())
}

fn alice() -> ConnectOptions {
    login("alice", "alice has a plain password")
}

fn bob() -> ConnectOptions {
    login("bob", "bob has a hashed password")
}

fn nkey(seed: &str) -> ConnectOptions {
    ConnectOptions::with_nkey(seed.into())
}

fn anonymous() -> ConnectOptions {
    ConnectOptions::new()
}

/// A folder with the files; gone with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("dunlin-clients-{}", std::process::id()));
        let made = Command::new(FIXTURE).arg(&path).status()?;
        let folder = Self(path);
        if made.success() { Ok(folder) } else { Err("fixture.sh failed".into()) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind at worst.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a scenario finds its files, and starts its server.
struct Place<'a> {
    program: &'a str,
    flags: &'a [String],
    folder: &'a Path,
}

impl Place<'_> {
    async fn server(&self, config: &str) -> Result<Server, Failure> {
        let mut flags = self.flags.to_vec();
        flags.extend(["-c".into(), self.folder.join(config).display().to_string()]);
        let mut server = Server::new(self.program.into(), flags);
        server.start().await?;
        Ok(server)
    }

    /// What a client trusts.
    fn tls(&self, options: ConnectOptions) -> ConnectOptions {
        options.add_root_certificates(self.folder.join("ca.pem"))
    }

    /// A client that shows a certificate.
    fn showing(&self, name: &str) -> ConnectOptions {
        let file = |end: &str| self.folder.join(format!("{name}{end}.pem"));
        self.tls(anonymous()).add_client_certificate(file(""), file("-key"))
    }
}

/// Plays every scenario.
pub(crate) async fn play_all(program: &str, flags: &[String]) -> Result<[(&'static str, Outcome); COUNT], Failure> {
    let folder = Folder::new()?;
    let place = Place { program, flags, folder: &folder.0 };
    Ok([
        ("user_and_password", bounded(user_and_password(&place)).await),
        ("wrong_logins_are_refused", bounded(wrong_logins_are_refused(&place)).await),
        ("token", bounded(token(&place)).await),
        ("hashed_token", bounded(hashed_token(&place)).await),
        ("nkey_seed", bounded(nkey_seed(&place)).await),
        ("no_auth_user", bounded(no_auth_user(&place)).await),
        ("permissions_violations", bounded(permissions_violations(&place)).await),
        ("accounts_are_walls", bounded(accounts_are_walls(&place)).await),
        ("tls_with_an_authority", bounded(tls_with_an_authority(&place)).await),
        ("requests_and_big_payloads_over_tls", bounded(requests_and_big_payloads_over_tls(&place)).await),
        ("reconnect_over_tls", bounded(reconnect_over_tls(&place)).await),
        ("tls_with_a_client_certificate", bounded(tls_with_a_client_certificate(&place)).await),
        ("a_certificate_names_the_user", bounded(a_certificate_names_the_user(&place)).await),
        ("handshake_first", bounded(handshake_first(&place)).await),
    ])
}

/// A client that comes in and hears what it says.
async fn works(server: &Server, options: ConnectOptions, subject: &'static str) -> Outcome {
    let client = server.connect_with(options).await?;
    let mut messages = client.subscribe(subject).await?;
    client.publish(subject, "here".into()).await?;
    check(next(&mut messages).await?.payload == "here", "what it said")
}

/// A client that is told `Authorization Violation`.
async fn refused(server: &Server, options: ConnectOptions) -> Outcome {
    match server.connect_with(options).await {
        Err(error) if error.kind() == ConnectErrorKind::AuthorizationViolation => Ok(()),
        Err(error) => Err(format!("expected an authorization violation, got {error:?}").into()),
        Ok(_) => Err("let in".into()),
    }
}

/// A client with which the server does not go on. With TLS 1.3 a client learns it from its first read.
async fn refused_in_handshake(server: &Server, options: ConnectOptions) -> Outcome {
    match server.connect_with(options).await {
        Err(error) if matches!(error.kind(), ConnectErrorKind::Tls | ConnectErrorKind::Io) => Ok(()),
        Err(error) => Err(format!("expected a failed handshake, got {error:?}").into()),
        Ok(_) => Err("let in".into()),
    }
}

/// Waits for the next permissions violation that the client tells of, which is about `what`.
async fn violation(events: &mut UnboundedReceiver<Event>, what: &str) -> Outcome {
    loop {
        let event = timeout(DEADLINE, events.recv()).await?.ok_or("the client has ended")?;
        let Event::ServerError(ServerError::Other(text)) = event else { continue };
        return check(
            text == format!("Permissions Violation for {what}"),
            &format!("a violation of {what}, not: {text}"),
        );
    }
}

async fn watched(server: &Server, options: ConnectOptions) -> Result<(Client, UnboundedReceiver<Event>), Failure> {
    let (sender, events) = mpsc::unbounded_channel();
    Ok((server.connect_with(Server::telling(options, sender)).await?, events))
}

async fn user_and_password(place: &Place<'_>) -> Outcome {
    let server = place.server("logins.conf").await?;
    works(&server, alice(), "open.works").await?;
    works(&server, bob(), "open.works").await
}

async fn wrong_logins_are_refused(place: &Place<'_>) -> Outcome {
    let server = place.server("logins.conf").await?;
    for user in ["alice", "bob", "nobody"] {
        refused(&server, login(user, "wrong")).await?;
    }
    refused(&server, ConnectOptions::with_token("none here".into())).await?;
    refused(&server, anonymous()).await?;
    works(&server, alice(), "open.works").await
}

async fn token(place: &Place<'_>) -> Outcome {
    let server = place.server("token.conf").await?;
    works(&server, ConnectOptions::with_token("a plain token of clients".into()), "open.works").await?;
    refused(&server, ConnectOptions::with_token("wrong".into())).await?;
    refused(&server, anonymous()).await
}

async fn hashed_token(place: &Place<'_>) -> Outcome {
    let server = place.server("hashed_token.conf").await?;
    works(&server, ConnectOptions::with_token("a hashed token of clients".into()), "open.works").await?;
    refused(&server, ConnectOptions::with_token("wrong".into())).await
}

async fn nkey_seed(place: &Place<'_>) -> Outcome {
    let server = place.server("logins.conf").await?;
    works(&server, nkey(SEED), "open.works").await?;
    refused(&server, nkey(OTHER_SEED)).await
}

async fn no_auth_user(place: &Place<'_>) -> Outcome {
    let server = place.server("guest.conf").await?;
    works(&server, anonymous(), "guests.works").await?;
    works(&server, alice(), "open.works").await?;
    refused(&server, login("alice", "wrong")).await?;
    let (guest, mut events) = watched(&server, anonymous()).await?;
    guest.publish("open.works", Bytes::new()).await?;
    violation(&mut events, "Publish to \"open.works\"").await
}

async fn permissions_violations(place: &Place<'_>) -> Outcome {
    let server = place.server("logins.conf").await?;
    let (limited, mut events) = watched(&server, login("limited", "limits")).await?;
    let alice = server.connect_with(alice()).await?;
    let mut everything = alice.subscribe(">").await?;
    alice.flush().await?;
    next_after_hello(&alice, &mut everything).await?;
    for subject in ["closed.a", "open.secret"] {
        limited.publish(subject, "not to be heard".into()).await?;
        violation(&mut events, &format!("Publish to \"{subject}\"")).await?;
        limited.subscribe(subject).await?;
        violation(&mut events, &format!("Subscription to \"{subject}\"")).await?;
    }
    limited.queue_subscribe("work", "others".into()).await?;
    violation(&mut events, "Subscription to \"work\" using queue \"others\"").await?;
    let mut work = limited.queue_subscribe("work", "workers".into()).await?;
    let mut opened = limited.subscribe("open.*").await?;
    // Subscriptions and messages of one client stay in order: this one is heard when both are there.
    limited.publish("open.begin", "begin".into()).await?;
    check(next(&mut opened).await?.payload == "begin", "its own message")?;
    // The denied subject lies in what the wildcard hears.
    for (subject, data) in [("open.secret", "secret"), ("open.news", "news"), ("work", "job")] {
        alice.publish(subject, data.into()).await?;
    }
    check(next(&mut opened).await?.payload == "news", "news and no secret")?;
    check(next(&mut work).await?.payload == "job", "a job")?;
    for wanted in ["begin", "secret", "news", "job"] {
        let payload = next(&mut everything).await?.payload;
        check(payload == wanted, &format!("{wanted}, not {payload:?}"))?;
    }
    Ok(())
}

/// Hears a message of its own, so that the subscription is known to be there.
async fn next_after_hello(client: &Client, everything: &mut async_nats::Subscriber) -> Outcome {
    client.publish("hello", "hello".into()).await?;
    check(next(everything).await?.payload == "hello", "its own message")
}

async fn accounts_are_walls(place: &Place<'_>) -> Outcome {
    let server = place.server("accounts.conf").await?;
    let red = server.connect_with(login("red", "red")).await?;
    let rose = server.connect_with(login("rose", "rose")).await?;
    let blue = server.connect_with(login("blue", "blue")).await?;
    let (mut of_rose, mut of_blue) = (rose.subscribe("colour").await?, blue.subscribe("colour").await?);
    answer(rose.clone(), rose.subscribe("service").await?);
    round_trip(&rose).await?;
    round_trip(&blue).await?;
    red.publish("colour", "red".into()).await?;
    round_trip(&red).await?;
    blue.publish("colour", "blue".into()).await?;
    check(next(&mut of_rose).await?.payload == "red", "red hears red")?;
    check(next(&mut of_blue).await?.payload == "blue", "blue hears blue alone")?;
    check(red.request("service", "question".into()).await?.payload == "question", "an answer within the account")?;
    match blue.request("service", Bytes::new()).await {
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
        other => Err(format!("expected no responders, got {other:?}").into()),
    }
}

async fn tls_with_an_authority(place: &Place<'_>) -> Outcome {
    let server = place.server("tls.conf").await?;
    works(&server, place.tls(anonymous()), "open.works").await?;
    // With another authority the client does not trust the server; that is not for the server to allow.
    let distrusting = anonymous().add_root_certificates(place.folder.join("other-ca.pem"));
    refused_in_handshake(&server, distrusting).await?;
    let server = place.server("tls_logins.conf").await?;
    for login in [alice(), bob(), nkey(SEED)] {
        works(&server, place.tls(login), "open.works").await?;
    }
    refused(&server, place.tls(login("alice", "wrong"))).await
}

async fn requests_and_big_payloads_over_tls(place: &Place<'_>) -> Outcome {
    let server = place.server("tls.conf").await?;
    let requester = server.connect_with(place.tls(anonymous())).await?;
    let responder = server.connect_with(place.tls(anonymous())).await?;
    answer(responder.clone(), responder.subscribe("echo").await?);
    round_trip(&responder).await?;
    let small = (0..200).map(|number| Bytes::from(number.to_string()));
    let big = (b'a'..b'i').map(|byte| Bytes::from(vec![byte; 1024 * 1024]));
    let requests = small.chain(big).map(|payload| {
        let requester = requester.clone();
        async move {
            let answer = requester.request("echo", payload.clone()).await?;
            check(answer.payload == payload, "the answer to this request")
        }
    });
    futures::future::join_all(requests).await.into_iter().collect()
}

async fn reconnect_over_tls(place: &Place<'_>) -> Outcome {
    let mut server = place.server("tls_logins.conf").await?;
    let (client, mut events) = watched(&server, place.tls(bob())).await?;
    let mut messages = client.subscribe("again").await?;
    round_trip(&client).await?;
    server.kill().await?;
    wait_for(&mut events, &Event::Disconnected).await?;
    server.start().await?;
    wait_for(&mut events, &Event::Connected).await?;
    round_trip(&client).await?;
    client.publish("again", "after".into()).await?;
    check(next(&mut messages).await?.payload == "after", "the subscription is there again")
}

async fn tls_with_a_client_certificate(place: &Place<'_>) -> Outcome {
    let server = place.server("verify.conf").await?;
    works(&server, place.showing("carl"), "open.works").await?;
    works(&server, place.showing("unknown"), "open.works").await?;
    refused_in_handshake(&server, place.tls(anonymous())).await?;
    refused_in_handshake(&server, place.showing("stranger")).await
}

async fn a_certificate_names_the_user(place: &Place<'_>) -> Outcome {
    let server = place.server("map.conf").await?;
    works(&server, place.showing("carl"), "open.works").await?;
    works(&server, place.showing("dora"), "dora.works").await?;
    let (dora, mut events) = watched(&server, place.showing("dora")).await?;
    dora.publish("open.works", Bytes::new()).await?;
    violation(&mut events, "Publish to \"open.works\"").await?;
    refused(&server, place.showing("unknown")).await?;
    refused_in_handshake(&server, place.showing("stranger")).await
}

async fn handshake_first(place: &Place<'_>) -> Outcome {
    let server = place.server("first.conf").await?;
    works(&server, place.tls(anonymous()).tls_first(), "open.works").await?;
    let server = place.server("auto.conf").await?;
    works(&server, place.tls(anonymous()).tls_first(), "open.works").await?;
    works(&server, place.tls(anonymous()), "open.works").await
}
