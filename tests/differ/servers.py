"""One of the two servers: started on a free port, read by its log, ended by its process id."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

START_WITHIN = 15
LINE = re.compile(r"^\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[(?P<level>[A-Z]{3})\] (?P<text>.*)$", re.S)


def until(condition, seconds):
    """Looks every few milliseconds; the last result."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result or time.monotonic() > end:
            return result
        time.sleep(0.003)


class Server:
    """A server program that runs."""

    def __init__(self, program, flags=(), config=None, own_flags=(), patience=START_WITHIN):
        self.directory = tempfile.mkdtemp(prefix="differ-")
        command = [program, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", self.directory, *flags]
        if os.path.basename(program) == "dunlin":
            command += own_flags
        if config is not None:
            path = self.path("server.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(config)
            command += ["-c", path]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.directory
        )
        self.lines = []
        self.reader = threading.Thread(target=self._follow, daemon=True)
        self.reader.start()
        self.port = until(lambda: self._port() or self.process.poll() is not None and -1, patience)
        if self.port == -1:
            self.port = None
        if not self.port:
            self.end()
            raise RuntimeError(f"{program} does not start:\n" + "\n".join(self.lines))

    def path(self, name):
        return os.path.join(self.directory, name)

    def _port(self):
        for name in os.listdir(self.directory):
            if name.endswith(".ports"):
                try:
                    with open(self.path(name), encoding="utf-8") as file:
                        return int(json.load(file)["nats"][0].rsplit(":", 1)[1])
                except (OSError, ValueError, KeyError):
                    return None
        return None

    def _follow(self):
        for line in self.process.stderr:
            self.lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))

    def signal(self, number):
        self.process.send_signal(number)

    def logged(self, part, since=0, within=5):
        """The first line from number `since` on with this in it."""
        return until(lambda: next((line for line in self.lines[since:] if part in line), None), within)

    def wait(self, within=10):
        """The exit code; None where the process goes on."""
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join(2)
        return code

    def end(self):
        """Ends the process and removes its folder."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.reader.join(2)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
