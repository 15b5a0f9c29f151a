//! Large payloads: read into blocks that were others' before, and whole all the same; the memory comes back.

use kit::Client;

use crate::bad_input::Random;
use crate::{memory, server, size};

/// Sizes around those from which on a payload is shared, gets a block of its own, and is read in bulk; and one of each kind.
const SIZES: [usize; 12] =
    [0, 100, 4_000, 4_096, 24_000, 33_000, 65_536, 100_000, 131_050, 131_072, 300_000, 1_048_576];

#[test]
fn large_messages_of_several_clients_are_whole_on_one_core() {
    check_whole(1, 20_261);
}

#[test]
fn large_messages_of_several_clients_are_whole_on_two_cores() {
    check_whole(2, 20_262);
}

#[test]
fn memory_returns_after_large_messages_on_one_core() {
    memory::check(&server(1), "large messages", large_messages);
}

#[test]
fn memory_returns_after_large_messages_on_two_cores() {
    memory::check(&server(2), "large messages", large_messages);
}

/// A publisher of bytes that nobody else sends, and what of them is not written yet.
struct Publisher {
    client: Client,
    letter: u8,
    rest: Vec<u8>,
}

impl Publisher {
    fn begin(&mut self, size: usize) {
        self.rest = format!("PUB large.{} {size}\r\n", char::from(self.letter)).into_bytes();
        self.rest.resize(self.rest.len() + size, self.letter);
        self.rest.extend_from_slice(b"\r\n");
    }

    fn send(&mut self, bytes: usize) {
        let later = self.rest.split_off(bytes.min(self.rest.len()));
        self.client.send(&self.rest);
        self.rest = later;
    }
}

/// Publishers take turns, each with a piece of its message, so that beginnings wait while others fill the blocks. Two receivers, of
/// which one reads only at the end of each round, see each byte: it must be its publisher's.
fn check_whole(cores: usize, seed: u64) {
    println!("seed {seed}");
    let mut random = Random(seed);
    let server = server(cores);
    let mut receivers = [server.client(), server.client()];
    for receiver in &mut receivers {
        receiver.send("SUB large.* 1\r\n");
        receiver.ping();
    }
    let mut publishers: Vec<Publisher> =
        (b'a'..b'e').map(|letter| Publisher { client: server.client(), letter, rest: Vec::new() }).collect();
    for round in 0..size(12, 100) {
        let sizes: Vec<usize> = publishers.iter().map(|_| SIZES[random.below(SIZES.len())]).collect();
        for (publisher, size) in publishers.iter_mut().zip(&sizes) {
            publisher.begin(*size);
        }
        while publishers.iter().any(|publisher| !publisher.rest.is_empty()) {
            let at = random.below(publishers.len());
            let most = 1 << (1 + random.below(20));
            let piece = 1 + random.below(most);
            publishers[at].send(piece);
        }
        for receiver in &mut receivers {
            let mut seen = vec![None; publishers.len()];
            for _ in &publishers {
                let message = receiver.message_now();
                let letter = message.subject.as_bytes()["large.".len()];
                let stray = message.payload.iter().position(|byte| *byte != letter);
                assert_eq!(stray, None, "seed {seed}, round {round}: a byte that its publisher did not send");
                seen[usize::from(letter - b'a')] = Some(message.payload.len());
            }
            let sent: Vec<_> = sizes.iter().copied().map(Some).collect();
            assert_eq!(seen, sent, "seed {seed}, round {round}");
        }
    }
}

/// Many large messages of several sizes, one behind the other, to one who reads and to one who leaves with all that waits for it.
fn large_messages(server: &kit::Server) {
    let (mut reader, mut publisher) = (server.client(), server.client());
    let mut frozen = Client::open_with_receive_buffer(server.address(), 4096).expect("a connection");
    frozen.hello("");
    for client in [&mut reader, &mut frozen] {
        client.send("SUB large.* 1\r\n");
        client.ping();
    }
    let count = 60;
    for size in [1 << 20, 300_000, 70_000, 5_000] {
        let payload = "x".repeat(size);
        let message = format!("PUB large.x {size}\r\n{payload}\r\n");
        for _ in 0..count / 4 {
            publisher.send(&message);
            assert_eq!(reader.message_now().payload.len(), size);
        }
    }
    publisher.close().expect("the server closes");
    frozen.reset().expect("it goes");
    reader.close().expect("the server closes");
}
