//! The disk under the log is full. Messages flow on.

use std::path::Path;

use kit::Setup;

use crate::program;

#[test]
fn a_full_disk_under_the_log_stops_no_message() {
    let mut server = Setup::new(&program(), 2).flag("-DV").log_file(Path::new("/dev/full")).start();
    let mut publisher = server.client();
    let mut subscriber = server.client();
    subscriber.send("SUB x 1\r\n");
    subscriber.ping();
    for number in 0..2_000 {
        publisher.send(format!("PUB x 4\r\n{number:04}\r\n"));
        assert_eq!(subscriber.message_now().payload, format!("{number:04}").as_bytes());
    }
    publisher.ping();
    assert!(server.is_running());
}
