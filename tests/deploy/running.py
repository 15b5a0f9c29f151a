"""Runs what tools/deploy says that can be run here.

    running.py logrotate DUNLIN
    running.py static DUNLIN DUNLINCTL

`logrotate`: a log is rotated under a server that writes it, with tools/deploy's own lines. `static`: two static programs in a root
that has nothing else, as in the image, and as its user: the server resolves names and serves clients. Both need to be root.
"""

import asyncio
import contextlib
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import nats

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "tools/deploy"
DEADLINE = 30.0
LISTENING = re.compile(r"Listening for client connections on \S+:(\d+)")
# The user of the image.
USER = 65532
# What the roots of the two checks call their server, in /etc/hosts and by DNS.
IN_HOSTS, IN_DNS = "broker.hosts.test", "broker.dns.test"
# Of the loopback network; a resolver asks nowhere but at port 53.
NAME_SERVER = "127.0.0.77"


def until(what, look):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := look():
            return found
        threading.Event().wait(0.01)
    raise AssertionError(f"it did not happen: {what}")


def text_of(file):
    return file.read_text() if file.exists() else ""


@contextlib.contextmanager
def process(command, **options):
    child = subprocess.Popen([str(part) for part in command], **options)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def port_in(log, child):
    def look():
        assert child.poll() is None, f"the server has ended:\n{text_of(log)}"
        return LISTENING.search(text_of(log))

    return int(until("the server listens", look)[1])


async def talk(port):
    """A message there and back by the public client."""
    client = await nats.connect(f"nats://127.0.0.1:{port}", connect_timeout=10)
    subscription = await client.subscribe("deploy.>")
    await client.publish("deploy.here", b"hello")
    message = await subscription.next_msg(timeout=10)
    assert (message.subject, message.data) == ("deploy.here", b"hello")
    await client.close()


def logrotate(dunlin):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rules = (DEPLOY / "logrotate/dunlin").read_text()
        for path, here in (("/var/log/dunlin", folder), ("/run/dunlin", folder), ("/usr/local/bin/dunlin", dunlin)):
            assert path in rules, path
            rules = rules.replace(path, str(here))
        # The user of a real host.
        assert "    su dunlin dunlin\n" in rules
        rules = rules.replace("    su dunlin dunlin\n", "")
        log, rotated = folder / "dunlin.log", folder / "dunlin.log.1"
        (folder / "rules").write_text(rules)
        (folder / "rules").chmod(0o644)
        flags = ["-a", "127.0.0.1", "-p", "-1", "-D", "-l", log, "-P", folder / "dunlin.pid"]
        with process([dunlin, *flags]) as child:
            port = port_in(log, child)
            asyncio.run(talk(port))
            until("the first client has gone", lambda: text_of(log).count("Client connection closed") == 1)
            before = text_of(log)
            command = ["logrotate", "--force", "--verbose", "--state", folder / "state", folder / "rules"]
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            until("the server makes a new file", log.exists)
            asyncio.run(talk(port))
            until("the second client is in the new file", lambda: "Client connection closed" in text_of(log))
            assert text_of(rotated).startswith(before), "nothing of the old file is lost"
            assert text_of(rotated).count("Client connection created") == 1
            assert text_of(log).count("Client connection created") == 1
    return 1


def answer_names(answers):
    """A name server that knows one name, until the program ends."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((NAME_SERVER, 53))

    def work():
        while True:
            query, asker = server.recvfrom(512)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += 1 + query[at]
            (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
            address = answers.get(".".join(labels).lower())
            found = address is not None and kind == 1
            header = query[:2] + struct.pack("!HHHHH", 0x8180 if address else 0x8183, 1, int(found), 0, 0)
            record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address) if found else b""
            server.sendto(header + query[12 : at + 5] + record, asker)

    threading.Thread(target=work, daemon=True).start()


def enter(root):
    """In the child: only this root, as the image's user."""

    def work():
        os.chroot(root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    return work


def static(dunlin, dunlinctl):
    for program in (dunlin, dunlinctl):
        headers = subprocess.run(["readelf", "--program-headers", program], capture_output=True, text=True, check=True).stdout
        assert "LOAD" in headers and "INTERP" not in headers, f"{program} is not static"
    answer_names({IN_DNS: "127.0.0.1"})
    for host in ("127.0.0.1", IN_HOSTS, IN_DNS):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            root.chmod(0o755)
            for name, program in (("dunlin", dunlin), ("dunlinctl", dunlinctl)):
                (root / name).write_bytes(program.read_bytes())
                (root / name).chmod(0o755)
            (root / "etc").mkdir()
            # A container's runtime puts these two there.
            (root / "etc/hosts").write_text(f"127.0.0.1 localhost {IN_HOSTS}\n")
            (root / "etc/resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
            (root / "server.conf").write_text(f'listen: "{host}:-1"\n')
            log = root / "log"
            inside = {"preexec_fn": enter(root), "cwd": "/", "env": {}}
            with log.open("wb") as out, process(["/dunlin", "--config", "/server.conf"], stderr=out, **inside) as child:
                port = port_in(log, child)
                asyncio.run(talk(port))
                # The image's own check, and a name that the tool resolves.
                check = ["/dunlinctl", "server", "check", "message", "-s", f"nats://{host}:{port}"]
                done = subprocess.run(check, capture_output=True, text=True, timeout=DEADLINE, **inside)
                assert done.returncode == 0, done.stdout + done.stderr
                # As before the end of a pod: nobody is connected, so it ends at once.
                told = subprocess.run(["/dunlin", "-sl", f"ldm={child.pid}"], capture_output=True, text=True, **inside)
                assert told.returncode == 0, told.stderr
                assert child.wait(DEADLINE) == 0 and "Entering lame duck mode" in text_of(log), text_of(log)
    return 3


def main():
    what, *programs = sys.argv[1:]
    programs = [pathlib.Path(program).resolve() for program in programs]
    if os.geteuid() != 0 or (what == "logrotate" and not shutil.which("logrotate")):
        print(f"SKIPPED: {what} is looked at by root alone, and log rotation where its program is")
        return
    passed = {"logrotate": logrotate, "static": static}[what](*programs)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
