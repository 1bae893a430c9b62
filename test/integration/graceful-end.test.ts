import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { Serving } from "../support/serving.ts";

test.each([1, 2])(
  "a client with an idle connection is told to connect anew before the gateway of %i workers ends",
  async (workers) => {
    const serving = await Serving.start(
      { gateway: { workers, lingerMs: 1000 }, servers: {} },
      workers === 1 ? "listening" : "workers serve",
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async () => {
      const request = get(`${serving.url}/health`, { agent });
      const [response]: IncomingMessage[] = await once(request, "response");
      await once((response as IncomingMessage).resume(), "end");
      return [request.reusedSocket, response?.statusCode, response?.headers.connection];
    };
    expect(await ask()).toEqual([false, 200, "keep-alive"]);
    const ended = once(serving.child, "exit");
    serving.child.kill("SIGTERM");
    for (let tries = 0; !serving.log.includes('"draining"') && tries < 1000; tries += 1) await sleep(2);
    let told = await ask();
    // First it stops listening.
    while (told[2] === "keep-alive") told = await ask();
    expect(told).toEqual([true, 200, "close"]);
    expect(await ended).toEqual([0, null]);
    await serving.stop();
  },
);
