import { expect, test } from "@jest/globals";
import { FleetError } from "../../../runtime/errors.ts";
import { ClientSession, maxOpenQuestions, maxStreams } from "../../../runtime/protocol/client-session.ts";
import { parseJson } from "../../../runtime/protocol/exact-json.ts";
import { Exchange } from "../../../runtime/protocol/exchange.ts";
import type { RequestId } from "../../../runtime/protocol/json-rpc.ts";
import { Question } from "../../../runtime/protocol/questions.ts";
import type { SessionClaims } from "../../../runtime/protocol/sealed-session.ts";

function session() {
  const sent: Record<string, unknown>[] = [];
  const it = new ClientSession({ id: "s", caller: "anna" } as SessionClaims);
  const ask = (question = new Question()) =>
    it.ask("roots/list", undefined, (message) => sent.push(JSON.parse(message)) > 0, question);
  return { it, sent, ask };
}

test("one client has a bounded number of questions open", async () => {
  const { it, sent, ask } = session();
  const all = Array.from({ length: maxOpenQuestions }, () => ask());
  expect(it.openQuestions).toBe(maxOpenQuestions);
  await expect(ask()).rejects.toThrow("roots/list: 64 questions wait for the client; ask again when one is answered");
  it.answered(sent[0]?.id as string, { result: {} });
  expect(await all[0]).toEqual({ result: {} });
  const next = ask();
  it.answered(sent.at(-1)?.id as string, { result: { roots: [] } });
  expect([await next, sent.length]).toEqual([{ result: { roots: [] } }, maxOpenQuestions + 1]);
  it.close();
  await Promise.allSettled(all);
});

test("a question that is withdrawn is cancelled at the client, and its answer finds nothing", async () => {
  const { it, sent, ask } = session();
  const question = new Question();
  const reply = ask(question).catch((error) => error);
  question.withdraw(new FleetError("CANCELLED", "the call has ended"));
  expect(await reply).toEqual(new FleetError("CANCELLED", "the call has ended"));
  it.answered(sent[0]?.id as string, { result: {} });
  expect([it.openQuestions, it.atRest, sent[1]]).toEqual([
    0,
    true,
    {
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: sent[0]?.id, reason: "the call has ended" },
    },
  ]);
  // Once answered, there is nothing to withdraw.
  const late = new Question();
  const answered = ask(late);
  it.answered(sent[2]?.id as string, { result: {} });
  late.withdraw(new FleetError("CANCELLED", "the call has ended"));
  expect([await answered, sent.length]).toEqual([{ result: {} }, 3]);
});

test("a client is there as long as it reads one of its streams", () => {
  const { it } = session();
  const stream = { attached: true, send: () => {}, keepAlive: () => {}, end: () => {} };
  expect(it.attached).toBe(false);
  it.streams.add(stream);
  expect(it.attached).toBe(true);
  stream.attached = false;
  expect(it.attached).toBe(false);
});

test("a client has a bounded number of event streams: the oldest one ends for the next", () => {
  const { it } = session();
  const ended: number[] = [];
  for (let n = 0; n < maxStreams + 2; n += 1) {
    it.open({ attached: n !== 1, send: () => {}, keepAlive: () => {}, end: () => ended.push(n) });
  }
  // The second one had been left.
  expect([it.streams.size, ended]).toEqual([maxStreams, [0]]);
});

test("a call whose id is a long number is cancelled by the same digits only", () => {
  const { it } = session();
  const idIn = (text: string) => parseJson(text) as RequestId;
  const call = new Exchange(1000, undefined, undefined, idIn("9007199254740993"));
  const other = new Exchange(1000, undefined, undefined, idIn("7.0"));
  it.calls.add(call);
  it.calls.add(other);
  it.cancelled(idIn("9007199254740992"), "no");
  it.cancelled("9007199254740993", "no");
  expect([call.cancelled, other.cancelled]).toEqual([undefined, undefined]);
  it.cancelled(idIn("9007199254740993"), "yes");
  it.cancelled(7, "equal");
  expect([call.cancelled, other.cancelled]).toEqual(["yes", "equal"]);
});
