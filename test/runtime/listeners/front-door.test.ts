import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { defaults } from "../../../runtime/config/index.ts";
import { FrontDoor, type FrontDoorOptions } from "../../../runtime/listeners/front-door.ts";

let door: FrontDoor;
let port: number;

beforeEach(async () => {
  const unused = { close() {}, terminate() {} } as unknown;
  door = new FrontDoor({
    security: { greet: () => false },
    ...{
      mcp: unused,
      sse: unused,
      webSocket: unused,
      serviceFor: () => undefined,
      connections: { ...defaults.connections, headersTimeoutMs: 100, requestTimeoutMs: 100 },
    },
  } as unknown as FrontDoorOptions);
  // Takes longer to answer than a client may take to ask.
  door.use((request, response) => {
    request.resume().on("end", () => setTimeout(() => response.end("late"), 300));
  });
  port = await door.listen("127.0.0.1", 0);
});
afterEach(() => door.close(0));

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
])("a client that never ends its %s (slowloris) is answered 408 and closed", async (_part, bytes) => {
  expect(await said(bytes)).toBe("HTTP/1.1 408");
});

test("a server may take its time", async () => {
  expect(await said("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")).toBe("HTTP/1.1 200");
});
