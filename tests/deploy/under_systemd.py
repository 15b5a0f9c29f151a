"""Dunlin's unit under a real systemd: ready, reload, stuck core, lame duck.

    under_systemd.py DUNLIN

A service manager of a user's kind runs in a mount namespace of its own with an empty /run, so that it is nobody else's. It takes
the unit of tools/deploy with all of its sandbox, less User= (which such a manager does not have) and what this kernel refuses, which is
said. Needs to be root and systemd's programs; says so where it cannot be.
"""

import ctypes
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "tools/deploy"
MANAGER = pathlib.Path("/lib/systemd/systemd")
HERE = pathlib.Path("/run/dunlin-test")
RUNTIME = pathlib.Path("/run/user/0")
DEADLINE = 60.0
SANDBOX = re.compile(r"^(Private|Protect|Restrict|Lock|Memory|System|Capability|NoNew|Device|RemoveIPC|OOM|Limit|UMask)\w*=", re.M)
# How each process ended, for the test: the manager forgets it with the unit.
NOTE_END = f"ReadWritePaths={HERE}\nExecStopPost=/bin/sh -c 'echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >> {HERE}/ends'"
NOTE_LOG = f"StandardError=append:{HERE}/log"
SEIZE, INTERRUPT, DETACH, WAIT_ALL = 0x4206, 0x4207, 17, 0x40000000

passed = 0


def check(what, condition, why=""):
    global passed
    assert condition, f"{what}: {why}"
    passed += 1


def until(what, look):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := look():
            return found
        threading.Event().wait(0.02)
    raise AssertionError(f"it did not happen: {what}\n{show()}")


def systemctl(*arguments):
    return subprocess.run(["systemctl", "--user", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE)


def must(*arguments):
    done = systemctl(*arguments)
    assert done.returncode == 0, f"systemctl {arguments}: {done.stdout}\n{show()}"
    return done.stdout


def show():
    return systemctl("status", "--no-pager", "--full", "dunlin").stdout


def prop(name, unit="dunlin"):
    return must("show", unit, "--property", name, "--value").strip()


def ends():
    return (HERE / "ends").read_text().splitlines()


def write(name, text):
    file = HERE / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def refused_here(lines):
    """Which lines of the sandbox this kernel does not have, by trying each on a unit that does nothing (those of a name together)."""
    refused = []
    for name in dict.fromkeys(line.split("=")[0] for line in lines):
        together = [line for line in lines if line.startswith(f"{name}=")]
        write("units/probe.service", "\n".join(["[Service]", "Type=oneshot", "ExecStart=/bin/true", *together, ""]))
        must("daemon-reload")
        if systemctl("start", "probe.service").returncode != 0:
            refused += together
            must("reset-failed", "probe.service")
    return refused


def install(dunlin, port):
    shutil.copy(dunlin, HERE / "dunlin")
    unit = (DEPLOY / "systemd/dunlin.service").read_text()
    for path, here in (("/usr/local/bin/dunlin", HERE / "dunlin"), ("/etc/dunlin", HERE), ("--pid /run/dunlin", f"--pid {RUNTIME}/dunlin")):
        assert path in unit, path
        unit = unit.replace(path, str(here))
    unit = re.sub(r"^(User|Group)=.*\n", "", unit, flags=re.M)
    lines = [line for line in unit.splitlines() if SANDBOX.match(line)]
    assert len(lines) > 20
    for line in refused_here(lines):
        print(f"SKIPPED: not possible on this machine: {line}")
        unit = unit.replace(f"{line}\n", "")
    write("units/dunlin.service", unit)
    version = int(re.search(r"systemd (\d+)", systemctl("--version").stdout)[1])
    if version < 253:
        write("units/dunlin.service.d/older-systemd.conf", (DEPLOY / "systemd/older-systemd.conf").read_text())
    # Short enough for a test: a core that is stuck is seen in a second, and lame duck mode takes longer than the manager would wait.
    write("units/dunlin.service.d/test.conf", f"[Service]\nWatchdogSec=1\nTimeoutStopSec=2\nRestartSec=0\n{NOTE_END}\n{NOTE_LOG}\n")
    configure(port)
    must("daemon-reload")


def configure(port, more=""):
    write("server.conf", f'listen: "127.0.0.1:{port}"\nhttp: "127.0.0.1:-1"\nlame_duck_grace_period: "4s"\nlame_duck_duration: "30s"\n{more}')


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def client(port):
    """One that has said who it is, and answers nothing."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    connection.sendall(b'CONNECT {"protocol":1}\r\nPING\r\n')
    read = b""
    while b"PONG" not in read:
        read += connection.recv(4096)
    return connection


def read_to_end(connection):
    with connection:
        read = b""
        while chunk := connection.recv(4096):
            read += chunk
    return read


def stop_thread(pid, name):
    """Stops one thread as a debugger does."""
    (thread,) = [int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text().strip() == name]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(SEIZE, thread, None, None) != 0:
        return False
    assert libc.ptrace(INTERRUPT, thread, None, None) == 0, os.strerror(ctypes.get_errno())
    os.waitpid(thread, WAIT_ALL)
    return True


def scenarios(dunlin):
    port = free_port()
    install(dunlin, port)

    must("start", "dunlin")
    client(port).close()
    check("clients connect when the start has returned", prop("ActiveState") == "active")
    check("the status is shown", f"Clients connect to 127.0.0.1:{port}" in prop("StatusText"), prop("StatusText"))
    status = pathlib.Path(f"/proc/{prop('MainPID')}/status").read_text()
    check("nothing may be gained", re.search(r"NoNewPrivs:\s+1", status) and re.search(r"CapEff:\s+0+\n", status), status)
    check("calls are filtered", re.search(r"Seccomp:\s+2", status), status)
    mounts = [line.split() for line in pathlib.Path(f"/proc/{prop('MainPID')}/mountinfo").read_text().splitlines()]
    roots = [fields[5].split(",") for fields in mounts if fields[4] == "/"]
    check("nothing of the host can be written", roots and all("ro" in options for options in roots), roots)
    log = (HERE / "log").read_text()
    check("nothing that it needs is refused", "could not" not in log, log)
    pages = re.search(r"pages at (http://[\d.:]+)", prop("StatusText"))[1]
    varz = json.load(urllib.request.urlopen(f"{pages}/varz", timeout=DEADLINE))
    check("what it looks up of itself is there", varz["mem"] > 0 and varz["cores"] > 0, varz)
    until("it is alive", lambda: prop("WatchdogTimestampMonotonic") not in ("0", ""))

    pid = prop("MainPID")
    configure(port, "max_payload: 4096\n")
    must("reload", "dunlin")
    with client(port) as connection:
        connection.sendall(b"PUB a 5000\r\n")
        answer = connection.recv(4096)
        check("the reload has been taken when it returns", b"Maximum Payload" in answer, answer)
    configure(port, "max_payload: [\n")
    systemctl("reload", "dunlin")
    until("the refusal is shown", lambda: "the last reload was refused" in prop("StatusText"))
    check("it goes on", prop("ActiveState") == "active" and prop("MainPID") == pid)
    configure(port)
    must("reload", "dunlin")

    before = prop("WatchdogTimestampMonotonic")
    until("it is alive again and again", lambda: prop("WatchdogTimestampMonotonic") != before)
    if stop_thread(pid, "core-0"):
        until("a stuck core is seen", lambda: prop("NRestarts") == "1" and prop("ActiveState") == "active")
        check("another process serves", prop("MainPID") != pid)
        check("that was the watchdog", ends()[-1].startswith("watchdog"), ends())
        client(port).close()
    else:
        print("SKIPPED: no thread can be stopped here, so no core is stuck")

    # The fast way of operations.md.
    connection, pid = client(port), prop("MainPID")
    must("kill", "--signal=TERM", "dunlin")
    must("restart", "dunlin")
    check("it ended, and another serves", ends()[-1] == "success exited 0" and prop("MainPID") not in ("0", pid), ends())
    told = read_to_end(connection)
    check("at once", b'"ldm"' not in told, told)

    connection = client(port)
    must("stop", "dunlin")
    check("lame duck mode had its time, and the server ended by itself", ends()[-1] == "success exited 0", ends())
    told = read_to_end(connection)
    check("the client was told", b'"ldm":true' in told, told)


def inside(dunlin):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    for folder in (HERE / "units", RUNTIME, pathlib.Path("/run/systemd/system")):
        folder.mkdir(parents=True)
    os.environ.update(XDG_RUNTIME_DIR=str(RUNTIME), SYSTEMD_UNIT_PATH=f"{HERE}/units:", HOME=str(HERE))
    os.environ.pop("NOTIFY_SOCKET", None)
    with (HERE / "manager.log").open("wb") as log:
        manager = subprocess.Popen([MANAGER, "--user", "--log-target=console"], stdout=log, stderr=log)
    try:
        started = (RUNTIME / "systemd/private").exists
        until("the manager listens", lambda: started() or manager.poll() is not None)
        if manager.poll() is not None:
            print(f"SKIPPED: systemd does not run here: {(HERE / 'manager.log').read_text()}")
            return
        scenarios(dunlin)
    finally:
        systemctl("kill", "--signal=KILL", "dunlin")
        manager.terminate()
        manager.wait(DEADLINE)
    print(f"{passed} passed, 0 failed")


def main():
    *options, dunlin = sys.argv[1:]
    if options == ["--inside"]:
        inside(pathlib.Path(dunlin).resolve())
    elif os.geteuid() != 0 or not MANAGER.exists() or not shutil.which("unshare"):
        print("SKIPPED: the unit is run by root alone, and where systemd is installed")
    else:
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, __file__, "--inside", dunlin]
        sys.exit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
