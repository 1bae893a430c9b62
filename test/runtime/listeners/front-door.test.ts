import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { defaults } from "../../../runtime/config/index.ts";
import { FrontDoor, type FrontDoorOptions } from "../../../runtime/listeners/front-door.ts";

let port: number;

const opened: FrontDoor[] = [];

/** A door that gives a client so long for what it asks; resolves with its port. */
async function openDoor(timeoutMs: number): Promise<number> {
  const unused = { close() {}, terminate() {} } as unknown;
  const door = new FrontDoor({
    security: { greet: () => false },
    ...{
      mcp: unused,
      sse: unused,
      webSocket: unused,
      serviceFor: () => undefined,
      connections: { ...defaults.connections, headersTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs },
    },
  } as unknown as FrontDoorOptions);
  // Takes longer to answer than a client may take to ask.
  door.use((request, response) => {
    request.resume().on("end", () => setTimeout(() => response.end("late"), 300));
  });
  opened.push(door);
  return door.listen("127.0.0.1", 0);
}
beforeEach(async () => {
  port = await openDoor(100);
});
afterEach(() => Promise.all(opened.splice(0).map((door) => door.close(0))));

async function said(bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
    if (text.includes("late")) socket.destroy();
  });
  await once(socket, "close");
  return text.slice(0, 12);
}

test.each([
  ["head", "POST /health HTTP/1.1\r\nHost: localhost\r\nX-A"],
  ["body", "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"],
  ["head to an MCP path", "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-A"],
])(
  "a client that never ends its %s (slowloris) is answered 408 and closed; without deadline it stays",
  async (_part, bytes) => {
    const patient = connect(await openDoor(3_600_000), "127.0.0.1");
    patient.write(bytes);
    await once(patient, "connect");
    expect(await said(bytes)).toBe("HTTP/1.1 408");
    expect([patient.destroyed, patient.bytesRead]).toEqual([false, 0]);
    patient.destroy();
  },
);

test("a server may take its time", async () => {
  expect(await said("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")).toBe("HTTP/1.1 200");
});
