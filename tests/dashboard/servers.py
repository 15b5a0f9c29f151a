"""What the dashboard is shown of: a server, its clients, and a stand-in that says whatever a test wants."""
import base64
import http.server
import json
import re
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

DEADLINE = 30.0
CLIENTS = re.compile(rb"Listening for client connections on 127\.0\.0\.1:(\d+)")
PAGES = re.compile(rb"Starting http monitor on 127\.0\.0\.1:(\d+)")


class Dunlin:
    """One server process. It can be killed and started again on the same ports."""

    def __init__(self, program, flags=(), config=""):
        self.program, self.flags, self.config = program, list(flags), config
        self.port, self.page_port = -1, -1
        self.start()

    def start(self):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".conf")
        self.file.write(f"host: 127.0.0.1\nport: {self.port}\nhttp: \"127.0.0.1:{self.page_port}\"\n{self.config}\n")
        self.file.flush()
        command = [self.program, "-c", self.file.name, *self.flags]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        ready = threading.Event()
        threading.Thread(target=self._read_log, args=(ready,), daemon=True).start()
        if not ready.wait(DEADLINE) or self.process.poll() is not None:
            raise RuntimeError(f"the server does not start: {command}")

    def _read_log(self, ready):
        for line in self.process.stderr:
            if found := CLIENTS.search(line):
                self.port = int(found[1])
            if found := PAGES.search(line):
                self.page_port = int(found[1])
            if b"Server is ready" in line:
                ready.set()
        ready.set()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE)

    def url(self, path="/dashboard"):
        return f"http://127.0.0.1:{self.page_port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Client:
    """Just enough of a client, without a library that would hide what it says."""

    def __init__(self, server, name, **more):
        self.socket = socket.create_connection(("127.0.0.1", server.port), DEADLINE)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        hello = {"verbose": False, "pedantic": False, "lang": "python", "version": "3", "name": name, "pass": "pw", **more}
        self.say(f"CONNECT {json.dumps(hello)}\r\nPING\r\n".encode())
        self.wait_for(b"PONG")

    def say(self, data):
        self.socket.sendall(data)

    def wait_for(self, word):
        while not (line := self.file.readline()).startswith(word):
            if not line or line.startswith(b"-ERR"):
                raise RuntimeError(f"{line!r} where {word!r} was waited for")

    def subscribe(self, subject, queue="", sid="1"):
        self.say(f"SUB {subject} {queue} {sid}\r\nPING\r\n".encode())
        self.wait_for(b"PONG")
        return self

    def publish(self, subject, payload=b"x", count=1):
        self.say(b"".join([b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(payload), payload)] * count))

    def close(self):
        # At once, whatever else holds it.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Traffic:
    """Publishes and reads in the background until it is stopped."""

    def __init__(self, server, prefix=""):
        self.stopped = threading.Event()
        self.clients = []
        topics = [f"{prefix}orders.{place}.{what}" for place in ("berlin", "lagos", "lima") for what in ("new", "paid")]
        for number, name in enumerate(("billing", "stock", "audit")):
            client = Client(server, name)
            queue = "workers" if number < 2 else ""
            client.subscribe(f"{prefix}orders.*.*", queue)
            self.clients.append(client)
            threading.Thread(target=self._read, args=(client,), daemon=True).start()
        self.publisher = Client(server, "till")
        threading.Thread(target=self._publish, args=(topics,), daemon=True).start()

    def _read(self, client):
        try:
            while client.socket.recv(65536):
                pass
        except OSError:
            pass

    def _publish(self, topics):
        try:
            turn = 0
            while not self.stopped.wait(0.05):
                turn += 1
                for at, topic in enumerate(topics):
                    self.publisher.publish(topic, b"y" * 64, 40 // (at + 1) + turn % 5)
        except OSError:
            pass

    def stop(self):
        self.stopped.set()
        for client in [self.publisher, *self.clients]:
            client.close()


class StandIn:
    """Serves the real dashboard with its headers, and pages that a test has made up: `pages[name](query)` is one of them."""

    def __init__(self, server, pages, base=""):
        with urllib.request.urlopen(server.url(), timeout=DEADLINE) as reply:
            self.body, self.headers = reply.read(), dict(reply.headers)
        self.pages, self.base, self.asked = pages, base, []
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stand_in.answer(self)

            def log_message(self, *_):
                pass

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.listener.daemon_threads = True
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.listener.server_address[1]}{self.base}/dashboard"

    def answer(self, handler):
        path, _, query = handler.path.removeprefix(self.base).partition("?")
        self.asked.append(handler.path)
        headers, status = {"Content-Type": "application/json"}, 200
        if path == "/dashboard":
            body = self.body
            headers = {name: self.headers[name] for name in ("Content-Type", "Content-Security-Policy")}
        elif path[1:] in self.pages and handler.path.startswith(self.base):
            body = json.dumps(self.pages[path[1:]](query)).encode()
        else:
            body, status = b"404 page not found", 404
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()


def fetch(url, login=None):
    """Status, headers and body of a page."""
    request = urllib.request.Request(url)
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()
