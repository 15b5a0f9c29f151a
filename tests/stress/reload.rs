//! Reloads one after the other while clients publish as fast as they are served: no message is lost, and nothing is left of them.

use std::sync::atomic::{AtomicBool, Ordering};

use kit::{Client, DEADLINE, Server, Setup};
use rustix::process::Signal;

use crate::memory::{self, Bounds, JITTER};
use crate::program;

/// Reloads of one storm; a test has three at least.
const RELOADS: usize = 34;
/// Messages between two PINGs.
const BURST: usize = 50;
/// Users that come with one configuration and go with the next: what is left of them would be seen.
const VISITORS: usize = 400;
/// Publishers a core.
const PUBLISHERS: usize = 2;

#[test]
fn a_hundred_reloads_under_load_lose_nothing_and_grow_no_memory_on_one_core() {
    reloads(1);
}

#[test]
fn a_hundred_reloads_under_load_lose_nothing_and_grow_no_memory_on_two_cores() {
    reloads(2);
}

#[test]
fn a_hundred_reloads_under_load_lose_nothing_and_grow_no_memory_on_four_cores() {
    reloads(4);
}

fn reloads(cores: usize) {
    let server = Setup::new(&program(), cores).config(&config(0)).start();
    // Each core keeps buffers for as much as was under way; a configuration that stays behind is some 0.2 MiB, 7 MiB a storm. A core
    // gives buffers back when they are 1 MiB or more: what is below that differs from storm to storm.
    let each = (cores as u64) << 20;
    let bounds = Bounds { kept: (4 << 20) + 2 * each, jitter: JITTER.max(each) };
    memory::check_with(&server, "reloads", bounds, || client(&server, "load"), |server| storm(server, cores));
}

/// The `number`th configuration: users come and go, their rights change, limits grow and shrink; who publishes may go on.
fn config(number: usize) -> String {
    let odd = number % 2;
    let visitors: String = (0..VISITORS).map(|n| format!("{{user: v{odd}x{n}, password: p}}\n")).collect();
    let deny = ["nothing", "load.secret"][odd];
    format!(
        "max_payload: {}\nmax_control_line: {}\nmax_connections: {}\nping_interval: \"{}m\"\nserver_tags: [t{odd}]\n\
         accounts {{ A {{ users: [{{user: load, password: p}}\n\
         {{user: watch, password: p, permissions: {{subscribe: {{deny: [{deny}]}}}}}}\n{visitors}] }}\n\
         B{odd} {{ users: [{{user: other, password: p}}], limits: {{max_subscriptions: {}}} }} }}\n",
        100_000 + number,
        4096 + number,
        1000 + number,
        1 + odd,
        10 + odd,
    )
}

fn client(server: &Server, user: &str) -> Client {
    let mut client = server.open();
    client.hello(&format!(r#","user":"{user}","pass":"p""#));
    client
}

/// Receives until each publisher has said that it ends; what came of it before that. Messages of each publisher come in order.
fn receive(mut client: Client, publishers: usize) -> Vec<Vec<u64>> {
    let mut received = vec![Vec::new(); publishers];
    let mut ended = 0;
    loop {
        let message = client.message_now();
        if message.subject == "end" {
            ended += 1;
            if ended < publishers {
                continue;
            }
            client.close().expect("the server closes");
            return received;
        }
        let text = String::from_utf8(message.payload).expect("as it was published");
        let (publisher, number) = text.split_once(' ').expect("two numbers");
        received[publisher.parse::<usize>().expect("a number")].push(number.parse().expect("a number"));
    }
}

/// Publishes until it is told to end; how many messages.
fn publish(mut client: Client, publisher: usize, ends: &AtomicBool) -> u64 {
    let mut sent = 0;
    while !ends.load(Ordering::Acquire) {
        let mut burst = String::new();
        for _ in 0..BURST {
            let text = format!("{publisher} {sent}");
            burst += &format!("PUB load.{publisher} {}\r\n{text}\r\n", text.len());
            sent += 1;
        }
        client.send(burst);
        client.ping();
    }
    client.send("PUB end 0\r\n\r\n");
    client.ping();
    client.close().expect("the server closes");
    sent
}

/// A client whose user is gone is told so, perhaps after a PING, and closed.
fn is_sent_away(mut client: Client, number: usize) {
    let mut line = client.line();
    while line.as_ref().is_ok_and(|line| line == "PING") {
        line = client.line();
    }
    assert_eq!(line.expect("a line"), "-ERR 'Authorization Violation'", "reload {number}");
    assert_eq!(client.check_closed(), Ok(()), "reload {number}");
}

fn reload(server: &Server, number: usize) {
    server.write_config(&config(number));
    let mark = server.log().mark();
    server.signal(Signal::HUP);
    let said = server.log().find_after(mark, DEADLINE, |line| {
        line.contains("Reloaded server configuration") || line.contains("Failed to reload")
    });
    let said = said.unwrap_or_else(|| panic!("nothing was said:\n{}", server.log().tail()));
    assert!(said.contains("Reloaded server configuration"), "{said}");
}

fn storm(server: &Server, cores: usize) {
    let publishers = PUBLISHERS * cores;
    let subscribed = |user: &str, line: &str| {
        let mut client = client(server, user);
        client.send(line);
        client.ping();
        client
    };
    let plain = subscribed("watch", "SUB load.> 1\r\nSUB end 2\r\n");
    let members: Vec<Client> =
        (0..2 * cores).map(|_| subscribed("load", "SUB load.* group 1\r\nSUB end 2\r\n")).collect();
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let plain = scope.spawn(move || receive(plain, publishers));
        let members: Vec<_> =
            members.into_iter().map(|member| scope.spawn(move || receive(member, publishers))).collect();
        let sending: Vec<_> = (0..publishers)
            .map(|publisher| {
                let (client, ends) = (client(server, "load"), &ends);
                scope.spawn(move || publish(client, publisher, ends))
            })
            .collect();
        for number in 1..=RELOADS {
            // It comes with this configuration and goes with the next.
            let mut visitor = client(server, &format!("v{}x{}", (number + 1) % 2, number % VISITORS));
            visitor.ping();
            reload(server, number);
            is_sent_away(visitor, number);
        }
        ends.store(true, Ordering::Release);
        let sent: Vec<u64> = sending.into_iter().map(|thread| thread.join().expect("a publisher")).collect();
        let all: Vec<Vec<u64>> = sent.iter().map(|&count| (0..count).collect()).collect();
        assert!(plain.join().expect("a subscriber") == all, "in order and whole");
        let mut together = vec![Vec::new(); publishers];
        for member in members {
            for (all, some) in together.iter_mut().zip(member.join().expect("a member")) {
                all.extend(some);
            }
        }
        together.iter_mut().for_each(|numbers| numbers.sort_unstable());
        assert!(together == all, "the group has got each once");
        println!("{RELOADS} reloads, {} messages", sent.iter().sum::<u64>());
    });
    // An even one was first, so the next storm begins as this one did.
    assert_eq!(RELOADS % 2, 0);
}
