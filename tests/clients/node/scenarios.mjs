// What the JavaScript client does with a server: node scenarios.mjs SERVER [FLAG ...]
//
// Starts the server program with the flags, plays the scenarios one after the other and ends with `N passed, M failed`.
// Nothing sleeps: every wait is for an event and has a deadline.
import assert from "node:assert/strict";
import transport from "@nats-io/transport-node";
import { DEADLINE, take, text, within } from "./helpers.mjs";
import { Server } from "./server.mjs";
import { withFixture } from "./security.mjs";

const { headers: newHeaders, NoRespondersError } = transport;

const CONNECTIONS = 1000;

async function publishAndSubscribe(server) {
  const [publisher, subscriber] = [await server.connect(), await server.connect()];
  const subscription = subscriber.subscribe("orders.*.new");
  await subscriber.flush();
  for (let n = 0; n < 1000; n++) publisher.publish(`orders.${n % 7}.new`, String(n));
  const messages = await within(take(subscription, 1000), "messages");
  assert.deepEqual(messages.map(text), Array.from({ length: 1000 }, (_, n) => String(n)));
  await publisher.close();
  await subscriber.close();
}

async function requestAndReply(server) {
  const [requester, responder] = [await server.connect(), await server.connect()];
  responder.subscribe("service", { callback: (_, message) => message.respond(`re: ${text(message)}`) });
  await responder.flush();
  const requests = Array.from({ length: 200 }, (_, n) => requester.request("service", String(n), { timeout: DEADLINE }));
  const answers = await Promise.all(requests);
  assert.deepEqual(answers.map(text), answers.map((_, n) => `re: ${n}`));
  await requester.close();
  await responder.close();
}

async function severalAnswersToOneRequest(server) {
  const requester = await server.connect();
  const responders = [await server.connect(), await server.connect(), await server.connect()];
  for (const responder of responders) {
    responder.subscribe("service", { callback: (_, message) => message.respond("answer") });
    await responder.flush();
  }
  const options = { strategy: "count", maxMessages: 3, maxWait: DEADLINE };
  let count = 0;
  for await (const answer of await requester.requestMany("service", "", options)) {
    assert.equal(text(answer), "answer");
    count += 1;
  }
  assert.equal(count, 3);
  assert.equal(text(await requester.request("service", "", { timeout: DEADLINE, noMux: true })), "answer");
  for (const client of [requester, ...responders]) await client.close();
}

async function noResponders(server) {
  const client = await server.connect();
  await assert.rejects(client.request("nobody.home", "", { timeout: DEADLINE }), (error) =>
    error instanceof NoRespondersError || error.cause instanceof NoRespondersError);
  await client.close();
}

async function queueGroup(server) {
  const members = await Promise.all(Array.from({ length: 4 }, () => server.connect()));
  const publisher = await server.connect();
  const got = members.map(() => []);
  await within(new Promise((resolve) => {
    const start = members.map((member, n) => {
      const callback = (_, message) => {
        got[n].push(Number(text(message)));
        if (got.flat().length === 400) resolve();
      };
      member.subscribe("job", { queue: "workers", callback });
      return member.flush();
    });
    Promise.all(start).then(() => {
      for (let n = 0; n < 400; n++) publisher.publish("job", String(n));
    });
  }), "400 messages");
  assert.deepEqual(got.flat().sort((a, b) => a - b), Array.from({ length: 400 }, (_, n) => n));
  assert.ok(got.every((mine) => mine.length > 40), `${got.map((mine) => mine.length)}`);
  for (const client of [...members, publisher]) await client.close();
}

async function drainLosesNothing(server) {
  const [publisher, first, second] = [await server.connect(), await server.connect(), await server.connect()];
  const got = [];
  const everything = new Promise((resolve) => {
    const callback = (_, message) => {
      got.push(Number(text(message)));
      if (got.length === 2000) resolve();
    };
    first.subscribe("job", { queue: "workers", callback });
    second.subscribe("job", { queue: "workers", callback });
  });
  await first.flush();
  await second.flush();
  let leaving;
  for (let n = 0; n < 2000; n++) {
    publisher.publish("job", String(n));
    if (n === 1000) {
      await publisher.flush();
      leaving = first.drain();
    }
  }
  await within(Promise.all([publisher.flush(), leaving, everything]), "drain");
  assert.deepEqual(got.sort((a, b) => a - b), Array.from({ length: 2000 }, (_, n) => n));
  await publisher.close();
  await second.close();
}

async function headersTravel(server) {
  const [publisher, subscriber] = [await server.connect(), await server.connect()];
  const subscription = subscriber.subscribe("h", { max: 1 });
  await subscriber.flush();
  const headers = newHeaders();
  headers.append("Trace-Id", "17");
  headers.append("Trace-Id", "18");
  publisher.publish("h", "body", { headers, reply: "somewhere" });
  const [message] = await within(take(subscription, 1), "message");
  assert.deepEqual(message.headers.values("Trace-Id"), ["17", "18"]);
  assert.equal(text(message), "body");
  assert.equal(message.reply, "somewhere");
  await publisher.close();
  await subscriber.close();
}

async function bigPayloads(server) {
  const [publisher, subscriber] = [await server.connect(), await server.connect()];
  for (const byte of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const subscription = subscriber.subscribe("big", { max: 1 });
    await subscriber.flush();
    const payload = new Uint8Array(1024 * 1024).fill(byte);
    publisher.publish("big", payload);
    const [message] = await within(take(subscription, 1), "message");
    assert.ok(Buffer.from(message.data).equals(Buffer.from(payload)));
  }
  await publisher.close();
  await subscriber.close();
}

async function reconnectAfterKill(server) {
  const client = await server.connect();
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
  const [message] = await within(take(subscription, 1), "message");
  assert.equal(text(message), "after");
  await client.close();
}

async function aThousandConnections(server) {
  const clients = [];
  while (clients.length < CONNECTIONS) {
    clients.push(...await Promise.all(Array.from({ length: 50 }, () => server.connect())));
  }
  const subscriptions = clients.map((client) => client.subscribe("everyone", { max: 1 }));
  await Promise.all(clients.map((client) => client.flush()));
  clients[0].publish("everyone", "hello");
  const taken = await within(Promise.all(subscriptions.map((subscription) => take(subscription, 1))), "messages");
  assert.ok(taken.every(([message]) => text(message) === "hello"));
  await Promise.all(clients.map((client) => client.close()));
}

const SCENARIOS = [publishAndSubscribe, requestAndReply, severalAnswersToOneRequest, noResponders, queueGroup,
  drainLosesNothing, headersTravel, bigPayloads, reconnectAfterKill, aThousandConnections];

async function play(scenario, argument) {
  try {
    await within(scenario(argument), scenario.name);
    console.log(`ok   ${scenario.name}`);
    return true;
  } catch (error) {
    console.log(`FAIL ${scenario.name}\n${error.stack}`);
    return false;
  }
}

const [program, ...flags] = process.argv.slice(2);
const results = [];
const server = new Server(program, flags);
await server.start();
for (const scenario of SCENARIOS) {
  results.push(await play(scenario, server));
  if (!server.isRunning) await server.start();
}
await server.kill();
await withFixture(program, flags, async (scenario, place) => results.push(await play(scenario, place)));
const failed = results.filter((result) => !result).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
