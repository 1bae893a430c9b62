import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { McpTarget } from "../../../runtime/listeners/target.ts";
import type { ParkedCalls } from "../../../runtime/protocol/parked-calls.ts";
import type { SessionTable } from "../../../runtime/protocol/session-table.ts";
import { localPrincipal } from "../../../runtime/security/index.ts";
import { Forwarder, forwardedHeader } from "../../../runtime/workers/forwarder.ts";
import { Roster } from "../../../runtime/workers/roster.ts";

let folder: string;
let worker: Server;
let front: Server;
let forwarder: Forwarder;
/** What the other worker says of which request its answer is to. */
let named: (id: string) => string | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "forwarder-"));
  const socket = join(folder, "worker.sock");
  worker = createServer((incoming, response) => {
    const id = named(incoming.headers[forwardedHeader] as string);
    if (id !== undefined) response.setHeader(forwardedHeader, id);
    incoming.resume().on("end", () => response.writeHead(200, { "content-type": "text/plain" }).end("answer"));
  });
  await new Promise<void>((resolve) => worker.listen(socket, resolve));
  const roster = new Roster(0, join(folder, "own.sock"));
  roster.update({ 1: socket });
  const sessions = { claimsOf: () => ({ worker: 1, id: "session" }) } as unknown as SessionTable;
  forwarder = new Forwarder({ roster, sessions, parked: {} as ParkedCalls, maxBodyBytes: 1000 });
  front = createServer((incoming, response) => {
    forwarder.admitted(incoming, localPrincipal);
    forwarder.session(incoming, response, {} as McpTarget);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  forwarder.close();
  for (const server of [worker, front]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true });
});

const post = (): Promise<{ status: number; text: string; headers: object }> =>
  new Promise((resolve, reject) => {
    const { port } = front.address() as AddressInfo;
    const headers = { "mcp-session-id": "sealed", "content-type": "application/json" };
    const sent = request({ port, host: "127.0.0.1", method: "POST", headers, agent: false }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode as number, text, headers: response.headers });
    });
    sent.on("error", reject);
    sent.end('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"write"}}');
  });

test("the answer of another worker is passed on when it names its request", async () => {
  const ids = new Set<string>();
  named = (id) => {
    ids.add(id);
    return id;
  };
  const answers = [await post(), await post()];
  expect(answers).toMatchObject(Array(2).fill({ status: 200, text: "answer" }));
  expect(answers.map(({ headers }) => forwardedHeader in headers)).toEqual([false, false]);
  expect(ids.size).toBe(2);
});

test.each([
  ["another request's", () => "somebody else's.1"],
  ["nobody's", () => undefined],
])("an answer of another worker that is %s reaches nobody", async (_whose, name) => {
  named = name;
  const { status, text } = await post();
  expect(status).toBe(502);
  const data = { code: "WORKER_LOST", retryable: true };
  const message = "the gateway's worker ended during the call; call again";
  expect(JSON.parse(text)).toEqual({ jsonrpc: "2.0", id: 7, error: { code: -31060, message, data } });
});
