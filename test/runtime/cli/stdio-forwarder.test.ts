import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import { StdioForwarder } from "../../../runtime/cli/stdio-forwarder.ts";

test("while the gateway is away a bounded number of messages waits, the others are refused, and none is lost", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const answers: { id: number; error: { message: string } }[] = [];
  output.on("data", (chunk) => {
    for (const line of String(chunk).trim().split("\n")) answers.push(JSON.parse(line));
  });
  const links: { sent: string[]; lost: (reason: string) => void }[] = [];
  let reachable = true;
  const forwarder = new StdioForwarder({
    input,
    output,
    retryMs: 1,
    open: async () => {
      if (!reachable) throw new Error("away");
      const sent: string[] = [];
      const { promise: ended, resolve: lost } = Promise.withResolvers<string>();
      links.push({ sent, lost });
      return {
        waiting: 0,
        pause: () => {},
        resume: () => {},
        send: (message) => void sent.push(message),
        ended,
        close: async () => {},
        abort: async () => {},
      };
    },
  });
  const done = forwarder.run();
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  };
  await until(() => links.length === 1);
  reachable = false;
  links[0]?.lost("gone");
  await new Promise((resolve) => setImmediate(resolve));
  for (let id = 1; id <= 1002; id += 1) input.write(`{"jsonrpc":"2.0","id":${id},"method":"ping"}\n`);
  await until(() => answers.length === 2);
  const message = "the gateway is away, and too many messages wait for it already; call again later";
  expect(answers.map(({ id, error }) => [id, error.message])).toEqual([
    [1001, message],
    [1002, message],
  ]);
  reachable = true;
  await until(() => links[1]?.sent.length === 1000);
  input.end();
  await done;
});
