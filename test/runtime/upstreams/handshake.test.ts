import { expect, test } from "@jest/globals";
import { RawReply } from "../../../runtime/protocol/raw-reply.ts";
import { initialize } from "../../../runtime/upstreams/handshake.ts";
import { serverInfoOf } from "../../../runtime/upstreams/server-info.ts";

const said = (instructions: string) =>
  new RawReply(
    JSON.stringify({
      protocolVersion: "2025-11-25",
      capabilities: {},
      serverInfo: { name: "s", version: "1" },
      instructions,
    }),
  );
const open = (instructions: string) =>
  initialize({ request: async () => said(instructions) }, "docs", { name: "gateway", version: "1" }, 1000);

test("a server says of itself what each client is told, and no more than a million characters", async () => {
  expect(await open("be kind")).toEqual({
    protocolVersion: "2025-11-25",
    modern: false,
    capabilities: {},
    serverInfo: { name: "s", version: "1" },
    instructions: "be kind",
  });
  await expect(open("x".repeat(1024 * 1024))).rejects.toThrow(
    "docs: the answer to initialize exceeds 1048576 characters; shorten what the server says of itself",
  );
});

test("a long serverInfo is not repeated in every result: only its name and version are kept, cut", () => {
  const icons = [{ src: "https://example.com/icon.png" }];
  expect(serverInfoOf({ name: "s", version: "1", icons } as never, "docs")).toEqual({ name: "s", version: "1", icons });
  const endless = { name: "n".repeat(5000), version: "1", icons };
  expect(serverInfoOf(endless as never, "docs")).toEqual({ name: "n".repeat(256), version: "1" });
  expect(serverInfoOf(undefined, "docs")).toEqual({ name: "docs", version: "unknown" });
});
