import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { RedirectReceiver } from "../../../../runtime/upstreams/credentials/redirect-receiver.ts";

let receiver: RedirectReceiver;
beforeEach(async () => {
  receiver = await RedirectReceiver.start(0, false);
});
afterEach(() => receiver.close());

/** The status line for a request line that a program on this machine, or a page, sends. */
async function statusOf(line: string): Promise<string> {
  const socket = connect(Number(new URL(receiver.redirectUri).port), "127.0.0.1");
  socket.end(`${line} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  await once(socket, "close");
  return text.split("\r\n")[0] as string;
}

test("a target that is no path, another path and a wrong state do not end the login", async () => {
  const answer = receiver.answer("right", 60_000);
  const hostile = [
    ...["GET //", "GET //evil/callback?state=right", "GET http://evil/callback?state=right", "GET *", "OPTIONS *"],
    ...[
      "GET /\\\\evil",
      "GET /callback?state=wrong",
      "GET /callback?state=wrong&state=right",
      "POST /callback?state=right",
    ],
    ...["GET /elsewhere?state=right", "GET /callback"],
  ];
  const answers = [];
  for (const line of hostile) answers.push([line, await statusOf(line)]);
  const bad = "HTTP/1.1 400 Bad Request";
  const none = "HTTP/1.1 404 Not Found";
  expect(answers).toEqual([
    ...[
      ["GET //", bad],
      ["GET //evil/callback?state=right", bad],
      ["GET http://evil/callback?state=right", bad],
    ],
    ...[
      ["GET *", bad],
      ["OPTIONS *", bad],
      ["GET /\\\\evil", bad],
      ["GET /callback?state=wrong", bad],
    ],
    ...[
      ["GET /callback?state=wrong&state=right", bad],
      ["POST /callback?state=right", bad],
    ],
    ...[
      ["GET /elsewhere?state=right", none],
      ["GET /callback", bad],
    ],
  ]);
  expect(await statusOf("GET /callback?code=c&state=right")).toBe("HTTP/1.1 200 OK");
  expect((await answer).href).toBe(`${receiver.redirectUri}?code=c&state=right`);
});
