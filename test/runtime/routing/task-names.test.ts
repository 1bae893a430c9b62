import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import type { ExchangeClient } from "../../../runtime/protocol/exchange.ts";
import type { Params, RpcReply } from "../../../runtime/protocol/json-rpc.ts";
import { Question } from "../../../runtime/protocol/questions.ts";
import { RawReply } from "../../../runtime/protocol/raw-reply.ts";
import { Sealer } from "../../../runtime/protocol/sealer.ts";
import { TaskIds } from "../../../runtime/protocol/task-ids.ts";
import { TaskNames, TaskSpeaker } from "../../../runtime/routing/task-names.ts";

const ids = new TaskIds([{ id: "k", key: randomBytes(32) }], { bySession: true });
const owner = { server: "one", tool: "admin", caller: "alice", session: "" };
const shown = ids.seal({ ...owner, taskId: "task-1" });
const related = (taskId: string) => ({ "io.modelcontextprotocol/related-task": { taskId } });
const question = new Question();
const names = new TaskNames(ids, owner);
const known = new TaskNames(ids, owner, { shown: "as the client has it", own: "task-1" });

test("an id says whose task it is and where, the same each time, to nobody but the gateway", () => {
  expect(ids.open(shown)).toEqual({ ...owner, taskId: "task-1" });
  expect(ids.seal({ ...owner, taskId: "task-1" })).toBe(shown);
  expect(ids.seal({ ...owner, caller: "bob", taskId: "task-1" })).not.toBe(shown);
  for (const other of ["task-1", "", `${shown}x`, shown.slice(2), "k.".padEnd(20_000, "A"), 7, undefined, [shown]])
    expect(ids.open(other)).toBeUndefined();
  // Another purpose's seal does not open it, nor does a random one differ for want of a nonce.
  const sessions = new Sealer("session", [{ id: "k", key: randomBytes(32) }]);
  expect(sessions.seal("a")).not.toBe(sessions.seal("a"));
});

test("a created task has the client's id in both eras; results without one stay as they are", () => {
  expect(names.created({ result: { task: { taskId: "task-1", ttl: 1 }, _meta: related("task-1") } })).toEqual({
    result: { task: { taskId: shown, ttl: 1 }, _meta: related(shown) },
  });
  expect(names.created({ result: { resultType: "task", taskId: "task-1", status: "working" } })).toEqual({
    result: { resultType: "task", taskId: shown, status: "working" },
  });
  expect(names.created({ result: { content: [], _meta: { a: 1, ...related("task-1") } } })).toEqual({
    result: { content: [], _meta: { a: 1, ...related(shown) } },
  });
  for (const reply of [
    new RawReply('{"content":[]}'),
    { result: { taskId: "not a task's" } },
    { result: null },
    { result: [1] },
    { error: { code: 1, message: "task-1" } },
  ] as RpcReply[])
    expect(names.created(reply)).toBe(reply);
});

test("answers about a task name it as the client does, also where they hold its result or its questions", () => {
  const params = { message: "sure?", _meta: related("task-1") };
  const reply = {
    result: {
      taskId: "task-1",
      status: "input_required",
      result: { content: [], _meta: related("task-1") },
      inputRequests: { sure: { method: "elicitation/create", params }, odd: 1 },
    },
  };
  const as = related("as the client has it");
  expect(known.followed(reply)).toEqual({
    result: {
      taskId: "as the client has it",
      status: "input_required",
      result: { content: [], _meta: as },
      inputRequests: { sure: { method: "elicitation/create", params: { message: "sure?", _meta: as } }, odd: 1 },
    },
  });
  expect(known.followed({ result: { content: [], _meta: related("task-1") } })).toEqual({
    result: { content: [], _meta: as },
  });
  expect(known.followed({ error: { code: -32602, message: "Task not found: task-1", data: 1 } })).toEqual({
    error: { code: -32602, message: "Task not found: as the client has it", data: 1 },
  });
  expect(known.followed({ result: "text" })).toEqual({ result: "text" });
});

test("questions and answers of a task carry each side's own id", async () => {
  const heard: (Params | undefined)[] = [];
  const client: ExchangeClient = {
    owner: "o",
    modern: false,
    capabilities: {},
    clientInfo: undefined,
    logLevel: "info",
    present: true,
    ask: async (_method, params) => {
      heard.push(params);
      return { result: { action: "accept", _meta: params?._meta } };
    },
  };
  const speaker = new TaskSpeaker(client, names);
  expect(await speaker.ask("elicitation/create", { message: "sure?", _meta: related("task-1") }, question)).toEqual({
    result: { action: "accept", _meta: related("task-1") },
  });
  expect(heard).toEqual([{ message: "sure?", _meta: related(shown) }]);
  expect([speaker.owner, speaker.modern, speaker.logLevel, speaker.present]).toEqual(["o", false, "info", true]);
  const refusing = new TaskSpeaker({ ...client, ask: async () => ({ error: { code: 1, message: "no" } }) }, names);
  expect(await refusing.ask("roots/list", undefined, question)).toEqual({ error: { code: 1, message: "no" } });
});
