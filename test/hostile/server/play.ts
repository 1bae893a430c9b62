import { setTimeout as pause } from "node:timers/promises";
import { floodMessages } from "../faults.ts";
import { complete, endlessPage, message, properAnswer, saying, wrongVersion } from "./answers.ts";
import type { Desk, Message, Order, Step } from "./desk.ts";
import { playHttp } from "./play-http.ts";

/** Where a call is played, as far as its answer depends on it. */
export interface Stage {
  readonly desk: Desk;
  /** Answers of different calls share a connection, so that a wrong id is somebody's right one. */
  readonly multiplexed: boolean;
  /** The connection, or over HTTP that of the request, has gone. */
  readonly closed: Promise<void>;
}

/** Longer than `timeouts.requestMs` of the run. */
const lateMs = 2500;
const pieceBytes = 1 << 16;
/** Even what is endless ends where nobody stops it, so that a run without bounds in the gateway ends too. */
const endlessBytes = 160 * 1024 * 1024;
const oversizeBytes = 6 * 1024 * 1024;

/** What a server does with one request. */
export async function* play(stage: Stage, request: Message): AsyncGenerator<Step> {
  const { desk } = stage;
  const { id, method, params } = request;
  if (method === "subscriptions/listen") {
    yield { say: message({ method: "notifications/subscriptions/acknowledged", params: params?._meta ?? {} }) };
    return await stage.closed;
  }
  if (method !== "tools/call") {
    const fault = desk.due(String(method));
    if (fault !== undefined) return yield* playLater(desk, request, fault);
    return yield { say: message({ id, ...properAnswer(desk, request) }) };
  }
  const order = params?.arguments as Order;
  if (order.later !== undefined) desk.arm(order.later);
  desk.pending.add(id as number);
  try {
    yield* playCall(stage, request, order);
  } finally {
    desk.pending.delete(id as number);
  }
}

async function* playLater(desk: Desk, request: Message, fault: string): AsyncGenerator<Step> {
  const right = message({ id: request.id, ...properAnswer(desk, request) });
  if (fault === "silent") return;
  if (fault === "malformed") return yield { say: right.slice(0, -2) };
  if (fault === "wrong id") return yield { say: message({ id: 987_654_321, ...properAnswer(desk, request) }) };
  if (fault === "wrong version") return yield { say: message({ id: request.id, ...wrongVersion }) };
  if (fault === "endless list") {
    // Armed again: each next page is such a one.
    desk.arm({ method: "tools/list", fault: "endless list" });
    setTimeout(() => desk.due("tools/list"), 1000).unref();
    return yield { say: message({ id: request.id, ...endlessPage(desk) }) };
  }
  yield { say: right };
  yield { say: right };
}

async function* playCall(stage: Stage, request: Message, { fault, canary }: Order): AsyncGenerator<Step> {
  const { desk, multiplexed } = stage;
  const { id, params } = request;
  const right = message({ id, result: saying(desk, canary) });
  // A wrong id is somebody else's right one where calls share a connection: that one hears no canary.
  const astray = multiplexed ? "astray" : canary;
  const wrong = (other: unknown) => message({ id: other, result: saying(desk, astray) });
  const notice = (name: string, about: object) => message({ method: `notifications/${name}`, params: about });
  const question = (asked: string) =>
    message({
      id: asked,
      method: "elicitation/create",
      params: { mode: "form", message: canary, requestedSchema: { type: "object", properties: {} } },
    });
  switch (fault) {
    case "none":
      return yield { say: right };
    case "slow":
      await pause(50);
      return yield { say: right };
    case "late":
      await pause(lateMs);
      return yield { say: right };
    case "silent":
      return;
    case "doubled":
      yield { say: right };
      await pause(3);
      return yield { say: right };
    case "doubled at once":
      yield { say: right };
      return yield { say: right };
    case "answers ahead":
      yield { say: right };
      await pause(2);
      for (const step of [1, 2, 3]) yield { say: wrong(Number(id) + step) };
      return;
    case "wrong id":
      return yield { say: wrong(Number(id) + 1) };
    case "id of another type":
      return yield { say: wrong([String(id), null, [id], { id }, true][Number(id) % 5]) };
    case "id of a concurrent call":
      yield { say: wrong([...desk.pending].find((other) => other !== id) ?? 0) };
      return yield { say: right };
    case "no id":
      return yield { say: message({ result: saying(desk, canary) }) };
    case "malformed":
      yield { say: right.slice(0, right.length / 2) };
      return yield { say: right };
    case "unbalanced":
      return yield { say: `{"jsonrpc":"2.0","id":${id},"result":{"content":[}]}` };
    case "invalid UTF-8": {
      const bytes = Buffer.from(right);
      bytes[bytes.length - 6] = 0xff;
      yield { say: bytes };
      return yield { say: right };
    }
    case "deep nesting":
      return yield { say: `{"jsonrpc":"2.0","id":${id},"result":${"[".repeat(300_000)}${"]".repeat(300_000)}}` };
    case "names no call":
      for (const text of ["null", "[]", "7", "{}"]) yield { say: text };
      yield { say: notice("cancelled", { requestId: Number(id) + 1 }) };
      return yield { say: right };
    case "oversize":
      return yield { say: message({ id, result: saying(desk, canary + "x".repeat(oversizeBytes)) }) };
    case "endless line":
    case "endless event":
      for (let sent = 0; sent < endlessBytes; sent += pieceBytes) yield { piece: "x".repeat(pieceBytes) };
      return;
    case "floods progress":
      for (let at = 0; at < floodMessages; at += 1) {
        const token = at % 2 === 0 ? params?._meta?.progressToken : Number(id) + at;
        // Whose progress it is, says its token: with another one it has no canary.
        const said = at % 2 === 0 ? canary : astray;
        yield { say: notice("progress", { progressToken: token, progress: at, message: said }) };
      }
      return yield { say: right };
    case "floods log lines":
      for (let at = 0; at < floodMessages; at += 1) yield { say: notice("message", { level: "error", data: canary }) };
      return yield { say: right };
    case "logs afterwards":
      yield { say: right };
      for (const ms of [0, 20]) {
        await pause(ms);
        yield { say: notice("message", { level: "error", data: canary }) };
      }
      return;
    case "floods list changes":
      for (let at = 0; at < floodMessages; at += 1) yield { say: notice("tools/list_changed", {}) };
      return yield { say: right };
    case "floods pings":
      for (let at = 0; at < floodMessages; at += 1) yield { say: message({ id: `p-${at}`, method: "ping" }) };
      return yield { say: right };
    case "floods questions":
      for (let at = 0; at < floodMessages; at += 1) yield { say: question(desk.nextQuestion()) };
      return yield { say: right };
    case "pings, reads nothing":
      yield { unread: 1000 };
      for (let at = 0; at < 2000; at += 1) yield { say: message({ id: `p-${at}`, method: "ping" }) };
      return yield { say: right };
    case "endless questions":
      for (let at = 0; at < 50_000; at += 1) yield { say: question(desk.nextQuestion()) };
      return;
    case "asks again and again":
      return yield { say: message({ id, result: wish(canary) }) };
    case "asks":
    case "asks in vain":
      return yield* ask(desk, request, canary, question);
    case "half closes":
      return yield { end: "half" };
    case "resets":
      return yield { end: "reset" };
    case "ends":
      return yield { end: "exit" };
    case "byte by byte":
      for (const byte of right) {
        await pause(1);
        yield { piece: byte };
      }
      return yield { say: "" };
    default:
      return yield* playHttp(desk, request, fault, right);
  }
}

/** A question, and an answer in which the client's own words come back. */
async function* ask(
  desk: Desk,
  { id, params }: Message,
  canary: string,
  question: (id: string) => string,
): AsyncGenerator<Step> {
  if (desk.era === "stateless") {
    const said = params?.inputResponses;
    const result = said === undefined ? wish(canary) : complete(desk, saying(desk, JSON.stringify(said)));
    return yield { say: message({ id, result }) };
  }
  const asked = desk.nextQuestion();
  const answer = desk.answerTo(asked, lateMs);
  yield { say: question(asked) };
  yield { say: message({ id, result: saying(desk, JSON.stringify((await answer) ?? canary)) }) };
}

const wish = (canary: string) => ({
  resultType: "input_required",
  inputRequests: { sure: { method: "elicitation/create", params: { mode: "form", message: canary } } },
  requestState: "again",
});
