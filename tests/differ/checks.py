"""Checks that are written by hand: the process rather than the dialogue. Each is a function of a program's path; both servers
must give the same result.

What a result holds is made the same where `exceptions.CHECKS` says so, and nowhere else.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time

import exceptions
from play import Client
from servers import LINE, Server, until

QUIET = b'CONNECT {"verbose":false}\r\n'


def client(server, connect=QUIET):
    """A client that has connected and seen its PONG."""
    connection = Client(server.port)
    connection.read_until(lambda seen: b"\r\n" in seen, 5)
    connection.send(connect)
    connection.barrier(5)
    return connection


def after(connection, mark, seconds):
    """What comes after `mark` until the end, or for so long."""
    connection.read_until(lambda _: False, seconds)
    return connection.seen[mark:], connection.closed


def lines(server, *parts):
    """Log lines with one of these in them, without time and address."""
    found = []
    for line in list(server.lines):
        match = LINE.match(line)
        text = f"[{match['level']}] {match['text']}" if match else line
        if any(part in text for part in parts):
            found.append(re.sub(r"127\.0\.0\.1:\d+ - cid:\d+", "CLIENT", text))
    return found


def run(program, *arguments):
    """Exit code, standard error and the beginning of standard output."""
    done = subprocess.run([program, *arguments], capture_output=True, timeout=20, check=False, cwd="/")
    error = re.sub(r"^\[\d+\] (\S+ \S+ )?", "", done.stderr.decode(), flags=re.M)
    return done.returncode, exceptions.rewrite_check(error)


def texts(program):
    """Exit codes and messages of command lines that start nothing."""
    rows = [
        ["-v"], ["--version"], ["version"], ["-t"], ["-t", "-c", "/none.conf"], ["-c", "/none.conf"], ["frob"], ["-n", "a b"],
        ["-sl", "stop=abc"], ["-sl", "reload=2147483646"], ["-sl", "quit=/none.pid"], ["-sl", "frob=1"], ["-sl", "reopen=1=2"],
    ]  # fmt: skip
    return [(row, run(program, *row)) for row in rows]


def help_text(program):
    """The options that both have, and how they are described."""
    done = subprocess.run([program, "-h"], capture_output=True, timeout=20, check=True)
    text = done.stdout.decode().split("\nDunlin Options")[0]
    return exceptions.rewrite_check(text).rstrip().split("\n")


def full_server(program):
    with Server(program, ["-D"], "max_connections: 1\n") as server:
        first = client(server)
        second = Client(server.port)
        seen, closed = after(second, 0, 2)
        first.barrier(5)
        server.logged("closed: Maximum")
        return [line[:5] for line in seen.split(b"\r\n")], closed, first.closed, lines(server, "xceeded")


def stale(program):
    config = 'ping_interval: "100ms"\nping_max: 2\n'
    with Server(program, ["-D"], config) as server:
        quiet = client(server)
        seen = after(quiet, len(quiet.seen), 2)
        silent = Client(server.port)
        silent.read_until(lambda seen: b"\r\n" in seen, 5)
        unconnected = after(silent, len(silent.seen), 2)
        until(lambda: len(lines(server, "closed: Stale")) == 2, 3)
        return seen, unconnected, lines(server, "Ping", "tale")


def slow_consumer(config):
    def check(program):
        with Server(program, ["-D"], config) as server:
            slow = socket.socket()
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", server.port))
            slow.sendall(b'CONNECT {"verbose":false,"name":"slow"}\r\nSUB a 1\r\nPING\r\n')
            publisher = client(server)
            until(lambda: any("slow" in line for line in server.lines), 0.3)
            for _ in range(60):
                publisher.send(b"PUB a 100000\r\n" + b"x" * 100_000 + b"\r\n")
            publisher.barrier(5)
            server.logged("closed: Slow Consumer")
            slow.close()
            return sorted({re.sub(r"\d+ chunks of \d+ total", "N chunks of N total", line) for line in lines(server, "Slow Consumer")})

    return check


def lame_duck(program):
    config = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "5s"\n'
    with Server(program, ["-D"], config) as server:
        clients = [client(server, QUIET[:-3] + b',"protocol":%d}\r\n' % protocol) for protocol in (1, 0)]
        marks = [len(connection.seen) for connection in clients]
        server.signal(signal.SIGUSR2)
        clients[0].read_until(lambda seen: b'"ldm":true' in seen[marks[0] :], 3)
        told = [bool(after(connection, mark, 0.2)[0]) for connection, mark in zip(clients, marks)]
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            accepts = True
        except OSError:
            accepts = False
        return told, accepts, lines(server, "Trapped", "lame duck")


def lame_duck_alone(program):
    with Server(program, [], 'lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"\n') as server:
        server.signal(signal.SIGUSR2)
        return server.wait(), lines(server, "Trapped", "lame duck", "hutdown", "Exiting")


def stop_with_pending(program):
    with Server(program, ["-D"]) as server:
        receiver = client(server)
        receiver.send(b"SUB a 1\r\n")
        receiver.barrier(5)
        publisher = client(server)
        for _ in range(100):
            publisher.send(b"PUB a 10000\r\n" + b"x" * 10_000 + b"\r\n")
        publisher.barrier(5)
        server.signal(signal.SIGTERM)
        seen, closed = after(receiver, 0, 5)
        return seen.count(b"MSG a 1 10000\r\n"), closed, server.wait(), lines(server, "Trapped", "Client connection closed", "hutdown...", "Exiting..")


def signals(program):
    results = []
    for number in (signal.SIGINT, signal.SIGQUIT):
        with Server(program) as server:
            server.signal(number)
            results.append(server.wait())
    with Server(program) as server:
        server.signal(signal.SIGUSR1)
        server.logged("re-open")
        server.signal(signal.SIGHUP)
        server.logged("reload")
        results.append(lines(server, "Trapped", "re-open", "reload"))
    return results


def files(program):
    with Server(program, ["-P", "server.pid"]) as server:
        names = sorted(re.sub(r"^(dunlin|nats-server)_\d+", "PROGRAM_PID", name) for name in os.listdir(server.directory))
        [ports] = [name for name in os.listdir(server.directory) if name.endswith(".ports")]
        with open(server.path(ports), encoding="utf-8") as file:
            content = file.read().replace(str(server.port), "PORT")
        with open(server.path("server.pid"), encoding="utf-8") as file:
            own = file.read() == str(server.process.pid)
        modes = [oct(os.stat(server.path(name)).st_mode) for name in (ports, "server.pid")]
        server.signal(signal.SIGTERM)
        server.wait()
        return names, content, own, modes, os.listdir(server.directory)


def log_file(program):
    config = "logfile_size_limit: 3000\nlogfile_max_num: 3\n"
    with Server(program, ["-DV", "-l", "server.log"], config) as server:
        for _ in range(40):
            client(server).socket.close()
        kept = until(lambda: len(logs := [n for n in os.listdir(server.directory) if n.startswith("server.log")]) == 3 and logs, 3)
        with open(server.path("server.log"), encoding="utf-8") as file:
            first = LINE.match(file.readline().rstrip("\n"))["text"]
        os.rename(server.path("server.log"), server.path("moved"))
        server.signal(signal.SIGUSR1)
        until(lambda: os.path.exists(server.path("server.log")) and os.path.getsize(server.path("server.log")), 3)
        with open(server.path("server.log"), encoding="utf-8") as file:
            reopened = LINE.match(file.readline().rstrip("\n"))["text"]
        shapes = sorted(re.sub(r"\d+", "N", name) for name in kept or [])
        return shapes, re.sub(r"\"[^\"]*\"", "NAME", first), reopened, len(server.lines)


def syslog(program):
    """What arrives at a remote syslog."""
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    sink.settimeout(5)
    with Server(program, ["-r", f"udp://127.0.0.1:{sink.getsockname()[1]}"]) as server:
        first = sink.recv(4096).decode()
        pid = str(server.process.pid)
        first = exceptions.rewrite_check(first.replace(pid, "PID").replace(socket.gethostname(), "HOST"))
        return re.sub(r"\d{4}-\d\d-\d\dT\S+", "TIME", first)


def advertised(program):
    rows = []
    for value in ["x", "x:5", "x:0", "[::1]", "[::1]:5", "x:", "::1", "x:y:z", "[::1", "x:abc"]:
        try:
            with Server(program, ["--client_advertise", value, "-n", "me"], patience=3) as server:
                info = json.loads(client(server).seen.split(b"\r\n")[0][5:])
                port = "bound" if info["port"] == server.port else info["port"]
                rows.append((value, info["host"], port, info["server_name"], sorted(info)))
        except RuntimeError as error:
            rows.append((value, str(error).rstrip().rsplit("[FTL] ", 1)[-1]))
    return rows


def first_ping(program):
    """The first PING comes two seconds after the connection, or after ping_interval where that is less."""
    times = []
    for config in ["", 'ping_interval: "1s"\n']:
        with Server(program, [], config) as server:
            connection = client(server)
            begin = time.monotonic()
            connection.read_until(lambda seen: b"PING\r\n" in seen, 5)
            times.append(round(time.monotonic() - begin))
    return times


def taken_port(program):
    with Server(program) as server:
        code, error = run(program, "-a", "127.0.0.1", "-p", str(server.port))
        return code, error.rstrip().rsplit("\n", 1)[-1].replace(str(server.port), "PORT")


def pid_file_fails(program):
    code, error = run(program, "-a", "127.0.0.1", "-p", "-1", "-P", "/none/server.pid")
    return code, [line for line in error.split("\n") if "FTL" in line or "Listening" in line]


CHECKS = {
    "command lines": texts,
    "help": help_text,
    "full server": full_server,
    "stale connection": stale,
    "slow consumer, max_pending": slow_consumer("max_pending: 1MB\n"),
    "slow consumer, write_deadline": slow_consumer('write_deadline: "300ms"\n'),
    "lame duck": lame_duck,
    "lame duck without clients": lame_duck_alone,
    "stop with pending data": stop_with_pending,
    "signals": signals,
    "pid file and ports file": files,
    "log file": log_file,
    "syslog": syslog,
    "client_advertise": advertised,
    "first ping": first_ping,
    "port taken": taken_port,
    "pid file cannot be written": pid_file_fails,
}


def run_all(arguments):
    """How many differ."""
    differences = 0
    for name, check in CHECKS.items():
        peer, own = check(arguments.peer), check(arguments.dunlin)
        if peer != own:
            differences += 1
            print(f"DIFFERENT: {name}\n  nats-server {peer}\n  dunlin      {own}\n", flush=True)
    print(f"{len(CHECKS)} checks by hand, {differences} differences")
    return differences
