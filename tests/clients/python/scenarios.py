"""What the Python client does with a server: python scenarios.py SERVER [FLAG ...]

Starts the server program with the flags, plays the scenarios one after the other and ends with `N passed, M failed`.
Nothing sleeps: every wait is for an event and has a deadline.
"""
import asyncio
import logging
import resource
import sys
import tempfile
import traceback

from nats.errors import NoRespondersError

import security
from server import DEADLINE, Server

CONNECTIONS = 1000


async def publish_and_subscribe(server):
    publisher, subscriber = await server.connect(), await server.connect()
    sub = await subscriber.subscribe("orders.*.new")
    await subscriber.flush()
    for number in range(1000):
        await publisher.publish(f"orders.{number % 7}.new", str(number).encode())
    for number in range(1000):
        message = await sub.next_msg(DEADLINE)
        assert message.data == str(number).encode(), message
    await publisher.close()
    await subscriber.close()


async def request_and_reply(server):
    requester, responder = await server.connect(), await server.connect()

    async def answer(message):
        await message.respond(b"re: " + message.data)

    await responder.subscribe("service", cb=answer)
    await responder.flush()
    answers = await asyncio.gather(*(requester.request("service", b"%d" % n, timeout=DEADLINE) for n in range(200)))
    assert [answer.data for answer in answers] == [b"re: %d" % n for n in range(200)]
    await requester.close()
    await responder.close()


async def request_the_old_way(server):
    requester, responder = await server.connect(), await server.connect()

    async def answer(message):
        await message.respond(b"1")
        await message.respond(b"2")

    await responder.subscribe("service", cb=answer)
    await responder.flush()
    for _ in range(20):
        message = await requester.request("service", b"", timeout=DEADLINE, old_style=True)
        assert message.data == b"1"
    await requester.close()
    await responder.close()


async def no_responders(server):
    client = await server.connect()
    try:
        await client.request("nobody.home", b"", timeout=DEADLINE)
    except NoRespondersError:
        pass
    else:
        raise AssertionError("an answer from nobody")
    await client.close()


async def queue_group(server):
    members = [await server.connect() for _ in range(4)]
    publisher = await server.connect()
    got = [[] for _ in members]
    all_here = asyncio.Event()

    def receiver(mine):
        async def receive(message):
            mine.append(int(message.data))
            if sum(map(len, got)) == 400:
                all_here.set()
        return receive

    for member, mine in zip(members, got):
        await member.subscribe("job", queue="workers", cb=receiver(mine))
        await member.flush()
    for number in range(400):
        await publisher.publish("job", str(number).encode())
    await publisher.flush()
    await asyncio.wait_for(all_here.wait(), DEADLINE)
    assert sorted(sum(got, [])) == list(range(400))
    assert all(len(mine) > 40 for mine in got), [len(mine) for mine in got]
    for client in [*members, publisher]:
        await client.close()


async def drain_loses_nothing(server):
    publisher, first, second = [await server.connect() for _ in range(3)]
    got = []
    all_here = asyncio.Event()

    async def receive(message):
        got.append(int(message.data))
        if len(got) == 2000:
            all_here.set()

    for member in (first, second):
        await member.subscribe("job", queue="workers", cb=receive)
        await member.flush()
    for number in range(2000):
        await publisher.publish("job", str(number).encode())
        if number == 1000:
            await publisher.flush()
            leaving = asyncio.create_task(first.drain())
    await publisher.flush()
    await asyncio.wait_for(leaving, DEADLINE)
    await asyncio.wait_for(all_here.wait(), DEADLINE)
    assert sorted(got) == list(range(2000))
    await publisher.close()
    await second.close()


async def headers(server):
    publisher, subscriber = await server.connect(), await server.connect()
    sub = await subscriber.subscribe("h")
    await subscriber.flush()
    await publisher.publish("h", b"body", headers={"Trace-Id": "17", "Empty": ""}, reply="somewhere")
    message = await sub.next_msg(DEADLINE)
    assert message.headers["Trace-Id"] == "17" and message.data == b"body" and message.reply == "somewhere", message
    await publisher.close()
    await subscriber.close()


async def big_payloads(server):
    publisher, subscriber = await server.connect(), await server.connect()
    sub = await subscriber.subscribe("big")
    await subscriber.flush()
    for letter in b"abcdefgh":
        payload = bytes([letter]) * (1024 * 1024)
        await publisher.publish("big", payload)
        message = await sub.next_msg(DEADLINE)
        assert message.data == payload
    await publisher.close()
    await subscriber.close()


async def auto_unsubscribe(server):
    client = await server.connect()
    sub = await client.subscribe("few")
    await sub.unsubscribe(limit=3)
    for number in range(10):
        await client.publish("few", str(number).encode())
    await client.flush()
    got = [(await sub.next_msg(DEADLINE)).data for _ in range(3)]
    assert got == [b"0", b"1", b"2"] and sub.pending_msgs == 0
    await client.close()


async def no_echo(server):
    client, other = await server.connect(no_echo=True), await server.connect()
    own = await client.subscribe("e")
    theirs = await other.subscribe("e")
    await client.flush()
    await other.flush()
    await client.publish("e", b"from me")
    assert (await theirs.next_msg(DEADLINE)).data == b"from me"
    await other.publish("e", b"from them")
    assert (await own.next_msg(DEADLINE)).data == b"from them"
    await client.close()
    await other.close()


async def reconnect_after_kill(server):
    back = asyncio.Event()
    gone = asyncio.Event()

    async def on_back():
        back.set()

    async def on_gone():
        gone.set()

    async def on_error(_):
        pass

    client = await server.connect(reconnected_cb=on_back, disconnected_cb=on_gone, error_cb=on_error)
    sub = await client.subscribe("again")
    await client.flush()
    await server.kill()
    await asyncio.wait_for(gone.wait(), DEADLINE)
    await server.start()
    await asyncio.wait_for(back.wait(), DEADLINE)
    await client.flush()
    await client.publish("again", b"after")
    assert (await sub.next_msg(DEADLINE)).data == b"after"
    await client.close()


async def a_thousand_connections(server):
    clients = []
    for _ in range(CONNECTIONS // 50):
        clients += await asyncio.gather(*(server.connect() for _ in range(50)))
    subs = []
    for client in clients:
        subs.append(await client.subscribe("everyone"))
    await asyncio.gather(*(client.flush(timeout=DEADLINE) for client in clients))
    await clients[0].publish("everyone", b"hello")
    for message in await asyncio.gather(*(sub.next_msg(DEADLINE) for sub in subs)):
        assert message.data == b"hello"
    await asyncio.gather(*(client.close() for client in clients))


SCENARIOS = [publish_and_subscribe, request_and_reply, request_the_old_way, no_responders, queue_group,
             drain_loses_nothing, headers, big_payloads, auto_unsubscribe, no_echo, reconnect_after_kill,
             a_thousand_connections]


async def play(scenario, *arguments):
    """Whether it went well."""
    try:
        await asyncio.wait_for(scenario(*arguments), 3 * DEADLINE)
        print(f"ok   {scenario.__name__}", flush=True)
        return True
    except Exception:  # a scenario may fail in any way; the others are played all the same
        print(f"FAIL {scenario.__name__}\n{traceback.format_exc()}", flush=True)
        return False


async def main(program, flags):
    results = []
    server = Server(program, flags)
    await server.start()
    for scenario in SCENARIOS:
        results.append(await play(scenario, server))
        if server.process.returncode is not None:
            await server.start()
    await server.kill()
    with tempfile.TemporaryDirectory() as folder:
        await security.make_fixture(folder)
        for scenario in security.SCENARIOS:
            results.append(await play(scenario, security.Place(program, flags, folder)))
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    # The client's protocol makes asyncio warn at the end of every TLS connection, whatever the server.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:])))
