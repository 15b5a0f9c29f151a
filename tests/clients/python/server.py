"""One server process for the scenarios: started, killed, started again on the same port."""
import asyncio
import os
import re
import signal

from nats.aio.client import Client as NatsClient

DEADLINE = 30.0
LISTENING = re.compile(rb"Listening for client connections on 127\.0\.0\.1:(\d+)")


class Client(NatsClient):
    """A client whose flush keeps its promise: nats-py writes PING past what waits to be written, so that the first PONG may come
    before a SUB has left. It leaves while that PING is under way, and a second one is behind it."""

    async def flush(self, timeout=10):
        await super().flush(timeout)
        await super().flush(timeout)


class Server:
    """One server process, its port, a task that reads its log to the end, and what clients are made with."""

    def __init__(self, program, flags, **options):
        self.options = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.05, "connect_timeout": 10, **options}
        self.command = [os.path.abspath(program), "-a", "127.0.0.1", *flags]
        self.port = -1

    async def start(self):
        command = [*self.command, "-p", str(self.port)]
        self.process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        ready = asyncio.get_running_loop().create_future()
        self.reader = asyncio.create_task(self._read_log(ready))
        self.port = await asyncio.wait_for(ready, DEADLINE)

    async def _read_log(self, ready):
        port = None
        while line := await self.process.stderr.readline():
            if found := LISTENING.search(line):
                port = int(found[1])
            if b"Server is ready" in line and not ready.done():
                ready.set_result(port)
        if not ready.done():
            ready.set_exception(RuntimeError("the server ended before it was ready"))

    async def kill(self):
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self.reader

    async def connect(self, **options):
        client = Client()
        await client.connect(f"nats://127.0.0.1:{self.port}", **{**self.options, **options})
        return client
