// Logins, permissions, accounts and TLS as the JavaScript client meets them.
//
// Every scenario starts a server of its own with one of the configurations that `fixture.sh` writes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import transport from "@nats-io/transport-node";
import { DEADLINE, take, text, within } from "./helpers.mjs";
import { Server } from "./server.mjs";

const { AuthorizationError, NoRespondersError, PermissionViolationError, nkeyAuthenticator } = transport;

const FIXTURE = fileURLToPath(new URL("../fixture.sh", import.meta.url));
const ALICE = { user: "alice", pass: "alice has a plain password" };
const BOB = { user: "bob", pass: "bob has a hashed password" };
const LIMITED = { user: "limited", pass: "limits" };
const nkey = (seed) => ({ authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) });
// Its public key is in the configuration; the other's is not.
const SEED = nkey("SUAMQ7MWGQYACNCAS5WM24AUC24ROMOGZONINUZZSSXKQF2EBYGOM7UCBM");
const OTHER_SEED = nkey("SUAL7D6HC3PARQK7RTDTMXTV4GUSKX35YEVAQQS7773VFPIUVITDZZ3ZXM");

// Where a scenario finds its files, and starts its server.
class Place {
  constructor(program, flags, folder) {
    Object.assign(this, { program, flags, folder });
  }

  path(name) {
    return join(this.folder, name);
  }

  async withServer(config, scenario) {
    const server = new Server(this.program, [...this.flags, "-c", this.path(config)]);
    await server.start();
    try {
      await scenario(server);
    } finally {
      if (server.isRunning) await server.kill();
    }
  }

  // What a client trusts, and what it shows.
  tls(certificate, more = {}) {
    const shown = certificate && { certFile: this.path(`${certificate}.pem`), keyFile: this.path(`${certificate}-key.pem`) };
    return { tls: { caFile: this.path("ca.pem"), ...shown, ...more } };
  }
}

// Plays every scenario by `play(scenario, place)`.
export async function withFixture(program, flags, play) {
  const folder = mkdtempSync(join(tmpdir(), "dunlin-clients-"));
  try {
    const made = spawnSync(FIXTURE, [folder], { stdio: "inherit" });
    assert.equal(made.status, 0, "fixture.sh failed");
    for (const scenario of SCENARIOS) await play(scenario, new Place(program, flags, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// A client that comes in, hears what it says, and leaves.
async function works(server, options, subject = "open.works") {
  const client = await server.connect(options);
  const subscription = client.subscribe(subject, { max: 1 });
  client.publish(subject, "here");
  const [message] = await within(take(subscription, 1), "message");
  assert.equal(text(message), "here");
  await client.close();
}

// A client that is told `Authorization Violation`.
async function refused(server, options) {
  const attempt = server.connect({ reconnect: false, ...options });
  await assert.rejects(attempt, (error) => error instanceof AuthorizationError && error.message === "Authorization Violation");
}

// A client with which the server does not go on. With TLS 1.3 a client learns it from its first read.
async function refusedInHandshake(server, options) {
  await assert.rejects(server.connect({ reconnect: false, timeout: DEADLINE, ...options }), (error) =>
    error.name !== "TimeoutError");
}

// The permissions violations that a client is told of.
async function* violations(client) {
  for await (const status of client.status()) {
    if (status.type === "error" && status.error instanceof PermissionViolationError) yield status.error;
  }
}

async function nextViolation(errors, operation, subject, queue) {
  const { value } = await within(errors.next(), "violation");
  assert.deepEqual([value.operation, value.subject, value.queue], [operation, subject, queue]);
}

async function userAndPassword(place) {
  await place.withServer("logins.conf", async (server) => {
    await works(server, ALICE);
    await works(server, BOB);
  });
}

async function wrongLoginsAreRefused(place) {
  await place.withServer("logins.conf", async (server) => {
    const wrong = [{ user: "alice", pass: "wrong" }, { user: "bob", pass: "wrong" }, { user: "nobody", pass: "wrong" },
      { token: "none here" }, {}];
    for (const options of wrong) await refused(server, options);
    await works(server, ALICE);
  });
}

async function token(place) {
  await place.withServer("token.conf", async (server) => {
    await works(server, { token: "a plain token of clients" });
    await refused(server, { token: "wrong" });
    await refused(server, {});
  });
}

async function hashedToken(place) {
  await place.withServer("hashed_token.conf", async (server) => {
    await works(server, { token: "a hashed token of clients" });
    await refused(server, { token: "wrong" });
  });
}

async function nkeySeed(place) {
  await place.withServer("logins.conf", async (server) => {
    await works(server, SEED);
    await refused(server, OTHER_SEED);
  });
}

async function noAuthUser(place) {
  await place.withServer("guest.conf", async (server) => {
    await works(server, {}, "guests.works");
    await works(server, ALICE);
    await refused(server, { user: "alice", pass: "wrong" });
    const guest = await server.connect();
    const errors = violations(guest);
    const first = nextViolation(errors, "publish", "open.works");
    guest.publish("open.works");
    await first;
    await guest.close();
  });
}

// A subscription that the server refuses tells it to its callback too.
async function refusedSubscription(client, errors, subject, queue) {
  const told = new Promise((resolve) => client.subscribe(subject, { queue, callback: (error) => resolve(error) }));
  await nextViolation(errors, "subscription", subject, queue);
  assert.ok(await within(told, "callback") instanceof PermissionViolationError);
}

async function permissionsViolations(place) {
  await place.withServer("logins.conf", async (server) => {
    const [limited, alice] = [await server.connect(LIMITED), await server.connect(ALICE)];
    const everything = alice.subscribe(">", { max: 4 });
    await alice.flush();
    const errors = violations(limited);
    for (const subject of ["closed.a", "open.secret"]) {
      limited.publish(subject, "not to be heard");
      await nextViolation(errors, "publish", subject);
      await refusedSubscription(limited, errors, subject);
    }
    await refusedSubscription(limited, errors, "work", "others");
    const [work, opened] = [limited.subscribe("work", { queue: "workers" }), limited.subscribe("open.*")];
    await limited.flush();
    // The denied subject lies in what the wildcard hears.
    alice.publish("open.secret", "secret");
    alice.publish("open.news", "news");
    alice.publish("work", "job");
    assert.deepEqual((await within(take(opened, 1), "news")).map(text), ["news"]);
    assert.deepEqual((await within(take(work, 1), "job")).map(text), ["job"]);
    limited.publish("open.b", "to be heard");
    const heard = (await within(take(everything, 4), "everything")).map(text);
    assert.deepEqual(heard, ["secret", "news", "job", "to be heard"]);
    await limited.close();
    await alice.close();
  });
}

async function accountsAreWalls(place) {
  await place.withServer("accounts.conf", async (server) => {
    const [red, rose, blue] = await Promise.all(["red", "rose", "blue"].map((name) =>
      server.connect({ user: name, pass: name })));
    const [ofRose, ofBlue] = [rose.subscribe("colour"), blue.subscribe("colour")];
    rose.subscribe("service", { callback: (_, message) => message.respond("from rose") });
    await rose.flush();
    await blue.flush();
    red.publish("colour", "red");
    await red.flush();
    blue.publish("colour", "blue");
    assert.deepEqual((await within(take(ofRose, 1), "red")).map(text), ["red"]);
    assert.deepEqual((await within(take(ofBlue, 1), "blue")).map(text), ["blue"]);
    assert.equal(text(await red.request("service", "", { timeout: DEADLINE })), "from rose");
    await assert.rejects(blue.request("service", "", { timeout: DEADLINE }), (error) =>
      error instanceof NoRespondersError || error.cause instanceof NoRespondersError);
    for (const client of [red, rose, blue]) await client.close();
  });
}

async function tlsWithAnAuthority(place) {
  await place.withServer("tls.conf", async (server) => {
    await works(server, place.tls());
    // Without the authority the client does not trust the server; that is not for the server to allow.
    await refusedInHandshake(server, { tls: {} });
  });
  await place.withServer("tls_logins.conf", async (server) => {
    for (const login of [ALICE, BOB, SEED]) await works(server, { ...place.tls(), ...login });
    await refused(server, { ...place.tls(), user: "alice", pass: "wrong" });
  });
}

async function requestsAndBigPayloadsOverTls(place) {
  await place.withServer("tls.conf", async (server) => {
    const [requester, responder] = [await server.connect(place.tls()), await server.connect(place.tls())];
    responder.subscribe("echo", { callback: (_, message) => message.respond(message.data) });
    await responder.flush();
    const small = Array.from({ length: 200 }, (_, n) => Buffer.from(String(n)));
    const big = [1, 2, 3, 4, 5, 6, 7, 8].map((byte) => Buffer.alloc(1024 * 1024, byte));
    const payloads = [...small, ...big];
    const answers = await Promise.all(payloads.map((data) => requester.request("echo", data, { timeout: DEADLINE })));
    assert.ok(answers.every((answer, n) => payloads[n].equals(Buffer.from(answer.data))));
    await requester.close();
    await responder.close();
  });
}

async function reconnectOverTls(place) {
  await place.withServer("tls_logins.conf", async (server) => {
    const client = await server.connect({ ...place.tls(), ...BOB });
    const subscription = client.subscribe("again", { max: 1 });
    await client.flush();
    const statuses = client.status();
    await server.kill();
    await server.start();
    const back = async () => {
      for await (const status of statuses) if (status.type === "reconnect") return;
    };
    await within(back(), "reconnect");
    await client.flush();
    client.publish("again", "after");
    assert.deepEqual((await within(take(subscription, 1), "message")).map(text), ["after"]);
    await client.close();
  });
}

async function tlsWithAClientCertificate(place) {
  await place.withServer("verify.conf", async (server) => {
    await works(server, place.tls("carl"));
    await works(server, place.tls("unknown"));
    await refusedInHandshake(server, place.tls());
    await refusedInHandshake(server, place.tls("stranger"));
  });
}

async function aCertificateNamesTheUser(place) {
  await place.withServer("map.conf", async (server) => {
    await works(server, place.tls("carl"));
    await works(server, place.tls("dora"), "dora.works");
    const dora = await server.connect(place.tls("dora"));
    const errors = violations(dora);
    const first = nextViolation(errors, "publish", "open.works");
    dora.publish("open.works");
    await first;
    await dora.close();
    await refused(server, place.tls("unknown"));
    await refusedInHandshake(server, place.tls("stranger"));
  });
}

async function handshakeFirst(place) {
  const first = place.tls(undefined, { handshakeFirst: true });
  await place.withServer("first.conf", (server) => works(server, first));
  await place.withServer("auto.conf", async (server) => {
    await works(server, first);
    await works(server, place.tls());
  });
}

const SCENARIOS = [userAndPassword, wrongLoginsAreRefused, token, hashedToken, nkeySeed, noAuthUser, permissionsViolations,
  accountsAreWalls, tlsWithAnAuthority, requestsAndBigPayloadsOverTls, reconnectOverTls, tlsWithAClientCertificate,
  aCertificateNamesTheUser, handshakeFirst];
