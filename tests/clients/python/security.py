"""Logins, permissions, accounts and TLS as the Python client meets them.

Every scenario starts a server of its own with one of the configurations that `fixture.sh` writes.
"""
import asyncio
import contextlib
import os
import ssl

from nats.errors import Error, NoRespondersError

from server import DEADLINE, Server

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixture.sh")
ALICE = {"user": "alice", "password": "alice has a plain password"}
BOB = {"user": "bob", "password": "bob has a hashed password"}
LIMITED = {"user": "limited", "password": "limits"}
# Its public key is in the configuration; the other's is not.
SEED = "SUAMQ7MWGQYACNCAS5WM24AUC24ROMOGZONINUZZSSXKQF2EBYGOM7UCBM"
OTHER_SEED = "SUAL7D6HC3PARQK7RTDTMXTV4GUSKX35YEVAQQS7773VFPIUVITDZZ3ZXM"


async def make_fixture(folder):
    process = await asyncio.create_subprocess_exec(FIXTURE, folder)
    assert await process.wait() == 0, "fixture.sh failed"


async def quiet(_):
    pass


class Place:
    """Where a scenario finds its files, and starts its server."""

    def __init__(self, program, flags, folder):
        self.program, self.flags, self.folder = program, flags, folder

    def path(self, name):
        return os.path.join(self.folder, name)

    @contextlib.asynccontextmanager
    async def server(self, config):
        # A client that is refused says so, rather than try again.
        server = Server(self.program, [*self.flags, "-c", self.path(config)], allow_reconnect=False, error_cb=quiet)
        await server.start()
        try:
            yield server
        finally:
            if server.process.returncode is None:
                await server.kill()

    def tls(self, certificate=None):
        """What a client trusts, and what it shows."""
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if certificate:
            context.load_cert_chain(self.path(f"{certificate}.pem"), self.path(f"{certificate}-key.pem"))
        return context


async def works(server, subject="open.works", **options):
    """A client that comes in, hears what it says, and leaves."""
    client = await server.connect(**options)
    sub = await client.subscribe(subject)
    await client.publish(subject, b"here")
    assert (await sub.next_msg(DEADLINE)).data == b"here"
    await client.close()


async def refused(server, **options):
    """A client that is told `Authorization Violation`."""
    try:
        client = await server.connect(**options)
    except Error as error:
        assert str(error) == "nats: 'Authorization Violation'", repr(error)
    else:
        await client.close()
        raise AssertionError(f"let in with {options}")


async def refused_in_handshake(server, **options):
    """A client with which the server does not go on. With TLS 1.3 a client learns it from its first read."""
    try:
        client = await server.connect(**options)
        try:
            await client.flush(timeout=DEADLINE)
        finally:
            await client.close()
    except asyncio.TimeoutError:
        raise
    except (Error, OSError):
        return
    raise AssertionError(f"let in with {options}")


class Complaints:
    """What the client's error callback is told."""

    def __init__(self):
        self.queue = asyncio.Queue()

    async def callback(self, error):
        await self.queue.put(str(error))

    async def next(self):
        return await asyncio.wait_for(self.queue.get(), DEADLINE)


async def user_and_password(place):
    async with place.server("logins.conf") as server:
        await works(server, **ALICE)
        await works(server, **BOB)


async def wrong_logins_are_refused(place):
    async with place.server("logins.conf") as server:
        for wrong in ({"user": "alice", "password": "wrong"}, {"user": "bob", "password": "wrong"},
                      {"user": "nobody", "password": "wrong"}, {"token": "none here"}, {}):
            await refused(server, **wrong)
        await works(server, **ALICE)


async def token(place):
    async with place.server("token.conf") as server:
        await works(server, token="a plain token of clients")
        await refused(server, token="wrong")
        await refused(server)


async def hashed_token(place):
    async with place.server("hashed_token.conf") as server:
        await works(server, token="a hashed token of clients")
        await refused(server, token="wrong")


async def nkey_seed(place):
    async with place.server("logins.conf") as server:
        await works(server, nkeys_seed_str=SEED)
        await refused(server, nkeys_seed_str=OTHER_SEED)


async def no_auth_user(place):
    async with place.server("guest.conf") as server:
        await works(server, subject="guests.works")
        await works(server, **ALICE)
        await refused(server, user="alice", password="wrong")
        complaints = Complaints()
        guest = await server.connect(error_cb=complaints.callback)
        await guest.publish("open.works", b"")
        assert 'permissions violation for publish to "open.works"' in (await complaints.next()).lower()
        await guest.close()


async def permissions_violations(place):
    async with place.server("logins.conf") as server:
        complaints = Complaints()
        limited, alice = await server.connect(error_cb=complaints.callback, **LIMITED), await server.connect(**ALICE)
        everything = await alice.subscribe(">")
        await alice.flush()
        for subject in ("closed.a", "open.secret"):
            await limited.publish(subject, b"not to be heard")
            assert f'permissions violation for publish to "{subject}"' in (await complaints.next()).lower()
            await limited.subscribe(subject)
            assert f'permissions violation for subscription to "{subject}"' in (await complaints.next()).lower()
        await limited.subscribe("work", queue="others")
        assert 'permissions violation for subscription to "work" using queue "others"' in (await complaints.next()).lower()
        work, opened = await limited.subscribe("work", queue="workers"), await limited.subscribe("open.*")
        await limited.flush()
        # The denied subject lies in what the wildcard hears.
        for subject, data in (("open.secret", b"secret"), ("open.news", b"news"), ("work", b"job")):
            await alice.publish(subject, data)
        assert (await opened.next_msg(DEADLINE)).data == b"news"
        assert (await work.next_msg(DEADLINE)).data == b"job"
        await limited.publish("open.b", b"to be heard")
        heard = [(await everything.next_msg(DEADLINE)).data for _ in range(4)]
        assert heard == [b"secret", b"news", b"job", b"to be heard"], heard
        assert complaints.queue.empty()
        await limited.close()
        await alice.close()


async def accounts_are_walls(place):
    async with place.server("accounts.conf") as server:
        red, rose, blue = [await server.connect(user=name, password=name) for name in ("red", "rose", "blue")]
        heard = {"rose": await rose.subscribe(">"), "blue": await blue.subscribe(">")}

        async def answer(message):
            await message.respond(b"from rose")

        await rose.subscribe("service", cb=answer)
        for client in (rose, blue):
            await client.flush()
        await red.publish("colour", b"red")
        await red.flush()
        await blue.publish("colour", b"blue")
        assert (await heard["rose"].next_msg(DEADLINE)).data == b"red"
        assert (await heard["blue"].next_msg(DEADLINE)).data == b"blue"
        assert (await red.request("service", b"", timeout=DEADLINE)).data == b"from rose"
        await (await heard_only(blue, heard["blue"])).unsubscribe()
        try:
            await blue.request("service", b"", timeout=DEADLINE)
        except NoRespondersError:
            pass
        else:
            raise AssertionError("an answer through the wall")
        for client in (red, rose, blue):
            await client.close()


async def heard_only(client, sub):
    """The subscription, after a message of its own client showed that nothing else was on its way."""
    await client.publish("last", b"last")
    assert (await sub.next_msg(DEADLINE)).data == b"last"
    return sub


async def tls_with_an_authority(place):
    async with place.server("tls.conf") as server:
        await works(server, tls=place.tls())
        # Without the authority the client does not trust the server; that is not for the server to allow.
        await refused_in_handshake(server, tls=ssl.create_default_context())
    async with place.server("tls_logins.conf") as server:
        await works(server, tls=place.tls(), **ALICE)
        await works(server, tls=place.tls(), **BOB)
        await works(server, tls=place.tls(), nkeys_seed_str=SEED)
        await refused(server, tls=place.tls(), user="alice", password="wrong")


async def requests_and_big_payloads_over_tls(place):
    async with place.server("tls.conf") as server:
        requester, responder = await server.connect(tls=place.tls()), await server.connect(tls=place.tls())

        async def answer(message):
            await message.respond(message.data)

        await responder.subscribe("echo", cb=answer)
        await responder.flush()
        payloads = [b"%d" % n for n in range(200)] + [bytes([letter]) * 1024 * 1024 for letter in b"abcdefgh"]
        answers = await asyncio.gather(*(requester.request("echo", data, timeout=DEADLINE) for data in payloads))
        assert [answer.data for answer in answers] == payloads
        await requester.close()
        await responder.close()


async def reconnect_over_tls(place):
    back, gone = asyncio.Event(), asyncio.Event()

    async def on_back():
        back.set()

    async def on_gone():
        gone.set()

    async with place.server("tls_logins.conf") as server:
        client = await server.connect(tls=place.tls(), allow_reconnect=True, reconnected_cb=on_back, disconnected_cb=on_gone, **BOB)
        sub = await client.subscribe("again")
        await client.flush()
        await server.kill()
        await asyncio.wait_for(gone.wait(), DEADLINE)
        await server.start()
        await asyncio.wait_for(back.wait(), DEADLINE)
        await client.flush(timeout=DEADLINE)
        await client.publish("again", b"after")
        assert (await sub.next_msg(DEADLINE)).data == b"after"
        await client.close()


async def tls_with_a_client_certificate(place):
    async with place.server("verify.conf") as server:
        await works(server, tls=place.tls("carl"))
        await works(server, tls=place.tls("unknown"))
        await refused_in_handshake(server, tls=place.tls())
        await refused_in_handshake(server, tls=place.tls("stranger"))


async def a_certificate_names_the_user(place):
    async with place.server("map.conf") as server:
        await works(server, tls=place.tls("carl"))
        await works(server, subject="dora.works", tls=place.tls("dora"))
        complaints = Complaints()
        dora = await server.connect(tls=place.tls("dora"), error_cb=complaints.callback)
        await dora.publish("open.works", b"")
        assert 'permissions violation for publish to "open.works"' in (await complaints.next()).lower()
        await dora.close()
        await refused(server, tls=place.tls("unknown"))
        await refused_in_handshake(server, tls=place.tls("stranger"))


async def handshake_first(place):
    async with place.server("first.conf") as server:
        await works(server, tls=place.tls(), tls_handshake_first=True)
    async with place.server("auto.conf") as server:
        await works(server, tls=place.tls(), tls_handshake_first=True)
        await works(server, tls=place.tls())


SCENARIOS = [user_and_password, wrong_logins_are_refused, token, hashed_token, nkey_seed, no_auth_user,
             permissions_violations, accounts_are_walls, tls_with_an_authority, requests_and_big_payloads_over_tls,
             reconnect_over_tls, tls_with_a_client_certificate, a_certificate_names_the_user, handshake_first]
