import { expect, test } from "@jest/globals";
import type { ClientSession } from "../../../runtime/protocol/client-session.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import { SessionSealer } from "../../../runtime/protocol/sealed-session.ts";
import { SessionTable } from "../../../runtime/protocol/session-table.ts";

const sealer = new SessionSealer([{ id: "k", key: Buffer.alloc(32, 7) }]);
const unknown = "Session not found: it has ended or expired; initialize a new one";

interface Options {
  maxSessions?: number;
  maxSessionsPerCaller?: number;
  maxAgeMs?: number;
  steadyClock?: () => number;
  clock?: () => number;
  ended?: Set<string>;
}
function table(options: Options = {}) {
  const gone: ClientSession[] = [];
  const { ended = new Set<string>() } = options;
  const sessions = new SessionTable({
    sealer,
    idleTimeoutMs: 60_000,
    maxAgeMs: options.maxAgeMs ?? 1000,
    maxSessions: options.maxSessions ?? 10,
    maxSessionsPerCaller: options.maxSessionsPerCaller ?? 5000,
    clock: options.clock ?? (() => 0),
    ...(options.steadyClock === undefined ? {} : { steadyClock: options.steadyClock }),
    onGone: (session) => gone.push(session),
    endedForGood: { add: (id) => void ended.add(id), has: (id) => ended.has(id) },
    isHeld: (session) => session.fleets.has("holding"),
  });
  return { sessions, gone };
}

const declared = { capabilities: {}, clientInfo: undefined };

test("a session is found by its id, at its own path, by its own caller only", () => {
  const { sessions } = table();
  const { id, session } = sessions.open("2025-11-25", "a", "anna", declared);
  expect(sessions.find(id, "a", "anna")).toBe(session);
  expect(() => sessions.find(id, undefined, "anna")).toThrow(unknown);
  expect(() => sessions.find(id, "a", "bert")).toThrow(unknown);
  expect(() => sessions.find("forged", "a", "anna")).toThrow(unknown);
});

test("another process with the same key serves the session", () => {
  const { id, session } = table().sessions.open("2025-11-25", undefined, "local", declared);
  const restarted = table().sessions;
  expect(restarted.find(id, undefined, "local").claims).toEqual(session.claims);
  expect(restarted.live).toBe(1);
});

test("an ended session stays ended, and its leases are given back once", () => {
  const { sessions, gone } = table();
  const { id, session } = sessions.open("2025-11-25", undefined, "local", declared);
  sessions.end(id);
  sessions.end(id);
  expect(gone).toEqual([session]);
  expect(() => sessions.find(id, undefined, "local")).toThrow(unknown);
});

test("an ended session comes back under no other spelling of its id", () => {
  const { sessions } = table();
  const { id } = sessions.open("2025-11-25", undefined, "local", declared);
  sessions.end(id);
  const middle = Math.floor(id.length / 2);
  const spellings = [
    id,
    `${id}=`,
    `${id}==`,
    `${id}.`,
    `${id} `,
    ` ${id}`,
    `${id}\n`,
    `${id}A`,
    `${id}!`,
    `${id.slice(0, middle)}!${id.slice(middle)}`,
    `${id.slice(0, middle)}\n${id.slice(middle)}`,
    id.replaceAll("-", "+").replaceAll("_", "/"),
  ];
  for (const spelling of spellings) expect(() => sessions.find(spelling, undefined, "local")).toThrow(unknown);
});

test("a session that its client has ended stays ended after a restart; one that ended with its connection leaves no trace", () => {
  const ended = new Set<string>();
  const { sessions } = table({ ended });
  const first = sessions.open("2025-11-25", undefined, "local", declared);
  const second = sessions.open("2025-11-25", undefined, "local", declared);
  sessions.end(first.id, true);
  sessions.end(second.id);
  sessions.end("forged", true);
  expect([...ended]).toEqual([first.session.claims.id]);
  expect(() => table({ ended }).sessions.find(first.id, undefined, "local")).toThrow(unknown);
});

test("a session past its greatest age is not found, even after a restart", () => {
  let time = 0;
  const { sessions } = table({ clock: () => time });
  const { id } = sessions.open("2025-11-25", undefined, "local", declared);
  time = 1000;
  expect(sessions.find(id, undefined, "local")).toBeDefined();
  time = 1001;
  expect(() => sessions.find(id, undefined, "local")).toThrow(unknown);
  expect(() => table({ clock: () => time }).sessions.find(id, undefined, "local")).toThrow(unknown);
});

test("the bound holds: the session that was used least recently goes", () => {
  const { sessions, gone } = table({ maxSessions: 2 });
  const first = sessions.open("2025-11-25", undefined, "local", declared);
  const second = sessions.open("2025-11-25", undefined, "local", declared);
  sessions.find(first.id, undefined, "local");
  sessions.open("2025-11-25", undefined, "local", declared);
  expect(gone).toEqual([second.session]);
  expect([sessions.live, sessions.max]).toEqual([2, 2]);
});

test("a caller past its own bound loses its least recently used session, and nobody else loses any", () => {
  const { sessions, gone } = table({ maxSessionsPerCaller: 2 });
  const open = (caller: string) => sessions.open("2025-11-25", undefined, caller, declared);
  const bert = open("bert");
  const [first, second] = [open("anna"), open("anna")];
  sessions.find(first.id, undefined, "anna");
  open("anna");
  expect(gone).toEqual([second.session]);
  expect(sessions.find(first.id, undefined, "anna")).toBe(first.session);
  expect(sessions.find(bert.id, undefined, "bert")).toBe(bert.session);
  sessions.end(first.id);
  open("anna");
  expect([gone.length, sessions.live]).toEqual([2, 3]);
});

test("a session of which its id says everything is forgotten when it rests, and comes back; one with something stays", async () => {
  const { sessions, gone } = table({ maxSessions: 5000 });
  const open = () => sessions.open("2025-11-25", undefined, "local", declared);
  const logging = open();
  logging.session.logLevel = "info";
  const holding = open();
  holding.session.fleets.add("holding");
  const first = open();
  for (let count = 3; count < 3000; count += 1) open();
  expect([sessions.live, gone]).toEqual([2048, []]);
  const again = sessions.find(first.id, undefined, "local");
  expect([again === first.session, again.claims]).toEqual([false, first.session.claims]);
  expect(sessions.find(logging.id, undefined, "local")).toBe(logging.session);
  expect(sessions.find(holding.id, undefined, "local")).toBe(holding.session);
  // Ended stays ended, also when it had been forgotten.
  sessions.end(first.id);
  expect(() => sessions.find(first.id, undefined, "local")).toThrow(unknown);
});

test("a session is not idle while its client waits for an answer or reads a stream, however long", async () => {
  let now = 1;
  const { sessions, gone } = table({ maxAgeMs: 1e9, steadyClock: () => now });
  const open = () => sessions.open("2025-11-25", undefined, "local", declared);
  const [calling, reading, idle] = [open(), open(), open()];
  calling.session.calls.add(new Exchange(1000));
  reading.session.streams.add({ attached: true, send: () => true, end: () => {}, keepAlive: () => {} });
  // It has something to lose: it does not just rest.
  idle.session.lease = "lease";
  for (let rounds = 0; rounds < 15; rounds += 1) {
    now += 20_000;
    sessions.purge();
    // The table reads the clock once a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(gone).toEqual([idle.session]);
  expect(sessions.find(calling.id, undefined, "local")).toBe(calling.session);
  expect(sessions.find(reading.id, undefined, "local")).toBe(reading.session);
  expect(() => sessions.find(idle.id, undefined, "local")).toThrow(unknown);
});
