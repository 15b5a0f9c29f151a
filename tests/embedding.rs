//! The library: servers that live inside a program, several at a time.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use dunlin::Server;
use dunlin::cli::{Command, parse};
use dunlin::config::{Advertised, Config};
use kit::Client;

/// A folder that goes with its value; the logs of the servers are in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dunlin-embedding-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }

    /// Loopback, any port, two cores, a log of its own, and these flags.
    fn config(&self, log: &str, more: &[&str]) -> Config {
        let log = self.0.join(log);
        let log = log.to_str().expect("a path of ours");
        let flags = ["-a", "127.0.0.1", "-p", "-1", "--cores", "2", "-D", "-l", log];
        match parse(flags.iter().chain(more)) {
            Ok(Command::Start(start)) => start.config,
            other => panic!("these flags are right: {other:?}"),
        }
    }

    fn start(&self, log: &str, more: &[&str]) -> Server {
        Server::start(self.config(log, more)).expect("it starts")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn client(server: &Server) -> Client {
    let mut client = Client::open(server.address()).expect("it accepts");
    client.hello("");
    client
}

/// The server of this id takes no connections there any more; the port may be another test's by now.
fn is_closed(address: std::net::SocketAddr, id: &str) -> bool {
    TcpStream::connect(address).is_err() || Client::open(address).is_ok_and(|other| other.info()["server_id"] != id)
}

#[test]
fn two_servers_work_at_the_same_time_and_know_nothing_of_each_other() {
    let folder = Folder::new();
    let one = folder.start("one.log", &["-n", "one"]);
    fs::write(folder.0.join("two.conf"), "max_payload: 8\n").expect("writable");
    let two = folder.start("two.log", &["-n", "two", "-c", folder.0.join("two.conf").to_str().expect("ours")]);
    assert_ne!(one.address(), two.address(), "any port is another one for each");
    assert_ne!(one.address().port(), 0);
    assert_ne!(one.id(), two.id());

    let (mut of_one, mut of_two) = (client(&one), client(&two));
    assert_eq!((&of_one.info()["server_name"], &of_one.info()["max_payload"]), (&"one".into(), &1_048_576.into()));
    assert_eq!((&of_two.info()["server_name"], &of_two.info()["max_payload"]), (&"two".into(), &8.into()));
    for client in [&mut of_one, &mut of_two] {
        client.send("SUB > 1\r\n");
        client.ping();
    }
    of_one.send("PUB a 9\r\n123456789\r\n");
    of_one.expect("MSG a 1 9\r\n123456789\r\n");
    of_two.send("PUB b 1\r\n2\r\n");
    of_two.expect("MSG b 1 1\r\n2\r\n");

    let received = |server: &Server| server.stats().iter().map(|core| core.in_bytes).sum::<u64>();
    assert_eq!((received(&one), received(&two)), (9, 1));
    one.stop();
    one.join();
    of_one.check_closed().expect("its server has ended");
    assert!(is_closed(one.address(), one.id()));
    of_two.ping();
    drop((one, two)); // their logs are whole then
    assert!(folder.log("one.log").contains("Client connection created"));
    assert_eq!(folder.log("one.log").matches("Client connection created").count(), 1);
    assert_eq!(folder.log("two.log").matches("Client connection created").count(), 1);
}

#[test]
fn dropping_a_server_stops_it() {
    let folder = Folder::new();
    let server = folder.start("log", &[]);
    let (address, id) = (server.address(), server.id().to_owned());
    let mut client = client(&server);
    drop(server);
    client.check_closed().expect("its server has gone");
    assert!(is_closed(address, &id));
}

#[test]
fn a_lame_duck_tells_its_clients_and_ends_with_the_last() {
    let folder = Folder::new();
    let server = folder.start("log", &[]);
    let mut client = Client::open(server.address()).expect("it accepts");
    client.hello(",\"protocol\":1");
    assert!(client.line().expect("what became of CONNECT").contains("\"connect_info\":true"));
    server.lame_duck();
    let info = client.line().expect("it is told");
    assert!(info.starts_with("INFO {") && info.contains("\"ldm\":true"), "{info}");
    client.ping();
    client.close().expect("it goes");
    server.join();
    assert!(is_closed(server.address(), server.id()));
    drop(server); // its log is whole then
    assert!(folder.log("log").contains("Entering lame duck mode"));
}

#[test]
fn what_was_stopped_has_nothing_to_count_and_can_be_stopped_again() {
    let folder = Folder::new();
    let server = folder.start("log", &[]);
    assert_eq!(server.stats().len(), 2, "one for each core");
    server.stop();
    server.join();
    server.stop();
    server.join();
}

#[test]
fn an_address_that_is_taken_is_an_error_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let first = folder.start("first.log", &[]);
    let port = first.address().port().to_string();
    let mut config = folder.config("second.log", &[]);
    config.port = first.address().port();
    let error = Server::start(config).expect_err("the port is taken");
    assert!(error.to_string().contains(&port), "{error}");
    client(&first).ping();
}

/// A program's CPUs are its own: a list of CPUs or a count says how many cores, but no thread is bound to one.
#[cfg(target_os = "linux")]
#[test]
fn threads_of_an_embedded_server_may_run_anywhere_the_program_may() {
    let allowed = |task: &std::path::Path| {
        let status = fs::read_to_string(task.join("status")).unwrap_or_default();
        status.lines().find(|line| line.starts_with("Cpus_allowed_list")).map(str::to_owned)
    };
    let folder = Folder::new();
    let server = folder.start("log", &[]);
    client(&server).ping(); // a core that serves has done what it does first
    let own = allowed("/proc/thread-self".as_ref());
    let cores = || {
        let tasks = fs::read_dir("/proc/self/task").expect("Linux").flatten().map(|entry| entry.path());
        let is_core =
            |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("core-"));
        // Threads of other tests' servers come and go: one that has gone has nothing to say.
        tasks.filter(is_core).filter_map(|task| allowed(&task)).collect::<Vec<_>>()
    };
    assert!(kit::until(kit::DEADLINE, || cores().len() >= 2), "a thread takes its name when it begins");
    assert!(cores().iter().all(|core| Some(core) == own.as_ref()), "{own:?}: {:?}", cores());
}

#[test]
fn an_embedded_server_writes_no_files_for_scripts() {
    let folder = Folder::new();
    let path = |name: &str| folder.0.join(name).to_str().expect("ours").to_owned();
    let server = folder.start("log", &["-P", &path("pid"), "--ports_file_dir", &path("")]);
    client(&server).ping();
    let names: Vec<_> = fs::read_dir(&folder.0).expect("ours").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["log"]);
}

#[test]
fn a_reload_takes_effect_on_running_connections_and_a_fixed_setting_refuses_all_of_it() {
    let folder = Folder::new();
    let server = folder.start("a.log", &[]);
    let mut client = Client::open(server.address()).expect("it accepts");
    client.hello(",\"protocol\":1");
    let mut config = server.config();
    config.limits.payload_bytes_max = 10;
    config.client_advertise = Some(Advertised { host: "elsewhere".into(), port: Some(7) });
    server.reload(config.clone()).expect("both can change");
    // The INFO that says where to connect comes by itself; what was allowed before is refused from then on.
    let lines = std::iter::from_fn(|| client.line().ok());
    let info = lines.take(3).find(|line| line.contains("elsewhere")).expect("an INFO");
    assert!(info.contains("\"host\":\"elsewhere\",\"port\":7,") && info.contains("\"max_payload\":10,"), "{info}");
    client.send("PUB x 11\r\n");
    client.expect("-ERR 'Maximum Payload Violation'\r\n");

    config.limits.payload_bytes_max = 20;
    config.limits.pending_bytes_max += 1;
    let refused = server.reload(config).expect_err("max_pending cannot change").to_string();
    assert_eq!(refused, "config reload not supported for MaxPending: old=67108864, new=67108865");
    assert_eq!(server.config().limits.payload_bytes_max, 10);
    server.stop();
    server.join();
    server.log().close();
    assert!(folder.log("a.log").contains("Reloaded: max_payload = 10"));
}
