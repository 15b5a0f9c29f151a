//! No file descriptor is left: accepting pauses, everyone connected is served, and accepting resumes.

use std::net::TcpStream;

use kit::{Client, DEADLINE, Server, Setup, until};

use crate::program;

const OPEN_FILES_MAX: u32 = 100;

#[test]
fn accepting_pauses_without_descriptors_and_resumes() {
    let mut server = Setup::new(&program(), 2).open_files_max(OPEN_FILES_MAX).start();
    let mut publisher = server.client();
    let mut subscriber = server.client();
    subscriber.send("SUB x 1\r\n");
    subscriber.ping();
    for round in 0..3 {
        // The kernel completes these connections itself; the server cannot take all of them.
        let crowd: Vec<TcpStream> = (0..OPEN_FILES_MAX + 50)
            .map(|_| TcpStream::connect(server.address()).expect("the backlog takes it"))
            .collect();
        assert!(
            until(DEADLINE, || open_files(&server) + 3 >= OPEN_FILES_MAX as usize),
            "round {round}: the limit is not reached"
        );
        for number in 0..1_000 {
            publisher.send(format!("PUB x 4\r\n{number:04}\r\n"));
            assert_eq!(subscriber.message_now().payload, format!("{number:04}").as_bytes());
        }
        drop(crowd);
        let mut late = None;
        until(DEADLINE, || {
            late = Client::open(server.address()).ok();
            late.is_some()
        });
        let mut late =
            late.unwrap_or_else(|| panic!("round {round}: accepting did not resume:\n{}", server.log().tail()));
        late.hello("");
        late.send("PUB x 4\r\nlate\r\n");
        late.ping();
        assert_eq!(subscriber.message_now().payload, b"late");
    }
    assert!(server.is_running());
}

fn open_files(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("the server runs").count()
}
