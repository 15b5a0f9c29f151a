"""Plays a dialogue on one server and writes down what each client saw, in a form that can be compared.

What is made the same on both sides: ids and addresses of INFO; the order of the copies of one message that one client gets
by several subscriptions (no promise of either server).
"""

import json
import re
import socket
import time

# What differs between any two servers, or any two starts of one.
INFO_OF_ITS_OWN = ("server_id", "server_name", "go", "git_commit", "host", "port", "client_id", "xkey")
PEDANTIC = b"-ERR 'Invalid Publish Subject'"
UNKNOWN = b"-ERR 'Unknown Protocol Operation'"
NO_RESPONDERS = b"NATS/1.0 503\r\nNats-Subject: "
BARRIER = b"PING\r\n"
PING = re.compile(rb"^ping", re.I | re.M)


class Client:
    """A connection; reads all it gets."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seen = b""
        self.closed = False
        self.cid = 0
        # Of the dialogue, since the last barrier.
        self.pings = 0

    def send(self, data):
        self.pings += len(PING.findall(data))
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # closed: what was said before is read below

    def read_until(self, enough, seconds):
        """Reads until `enough(seen)`, the end, or no more patience. Whether it was enough."""
        end = time.monotonic() + seconds
        while not enough(self.seen):
            left = end - time.monotonic()
            if self.closed or left <= 0:
                return False
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 20)
            except TimeoutError:
                return False
            except OSError:
                data = b""
            if not data:
                self.closed = True
            self.seen += data
        return True

    def barrier(self, patience):
        """The PONGs for a PING of ours and for what was sent before, or the end, or silence (a PING was taken for a payload)."""
        if self.closed:
            return
        self.send(BARRIER)
        due = self.seen.count(b"PONG\r\n") + self.pings
        self.pings = 0
        self.read_until(lambda seen: seen.count(b"PONG\r\n") >= due, patience)


def normal_info(line):
    info = json.loads(line[5:])
    for name in INFO_OF_ITS_OWN:
        info[name] = "?" if name in info else None
    return "INFO " + json.dumps(info, sort_keys=True)


def frames(seen):
    """Lines and messages, one after the other."""
    found, at = [], 0
    while at < len(seen):
        end = seen.find(b"\r\n", at)
        if end < 0:
            found.append(seen[at:])
            break
        line = seen[at:end]
        at = end + 2
        words = line.split(b" ")
        if words[0] in (b"MSG", b"HMSG") and words[-1].isdigit():
            size = int(words[-1])
            # The exception `size_as_written`.
            first_size = len(words) - (1 if words[0] == b"MSG" else 2)
            if seen.startswith(NO_RESPONDERS, at):
                words[2] = b"?"  # the exception `which_inbox`
            line = b" ".join(words[:first_size] + [b"%d" % int(word) for word in words[first_size:]])
            found.append(line + b"\r\n" + seen[at : at + size])
            at += size + 2
        else:
            found.append(line)
    return found


def normal(seen):
    """What was seen, comparable."""
    result, run, key = [], [], None
    for frame in frames(seen):
        this = frame if frame == PEDANTIC else None
        if frame.startswith((b"MSG ", b"HMSG ")):
            this = frame.split(b" ")[1], frame.split(b"\r\n", 1)[1].rsplit(b"#", 1)[-1]
        if this is None or this != key:
            result += sorted(run)
            run = []
        key = this
        if frame == PEDANTIC and run == [PEDANTIC]:
            continue  # the exception `complaint_repeated`
        if frame.startswith(b"INFO {"):
            frame = normal_info(frame).encode()
        run.append(frame)
    result += sorted(run)
    # The exception `complaint_early`.
    return [frame for frame, after in zip(result, result[1:] + [b""]) if (frame, after) != (PEDANTIC, UNKNOWN)]


def play(port, dialogue, patience):
    """What each client saw: frames, and whether it was closed. And its number, for the log."""
    clients = []
    try:
        for _ in range(dialogue.clients):
            client = Client(port)
            clients.append(client)
            client.read_until(lambda seen: b"\r\n" in seen, 5)
            client.cid = int((re.findall(rb'"client_id":(\d+)', client.seen) or [0])[0])
        for number, data in dialogue.steps:
            client = clients[number]
            if not client.closed:
                client.send(data)
                client.barrier(patience)
        # What waits for those who did not speak last.
        for client in clients:
            client.barrier(patience)
        return [(normal(client.seen), client.closed) for client in clients], [client.cid for client in clients]
    finally:
        for client in clients:
            client.socket.close()
