import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "@jest/globals";
import { createClient } from "@redis/client";
import { redisCommand } from "../../components/docker/cache-workload.ts";
import { freePort } from "../support/checkout.ts";
import { testWith } from "../support/needs.ts";

testWith("redis-server")(
  "the command of the Docker containers starts a Redis that asks for the password in the file",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "redis-command-"));
    const file = join(folder, "password");
    await writeFile(file, "a-password\n");
    const port = await freePort();
    const child = spawn("sh", ["-c", redisCommand(file, 16, "noeviction", port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      for await (const line of createInterface({ input: child.stdout })) if (/ready to accept/i.test(line)) break;
      child.stdout.resume();
      const ask = async (password?: string) => {
        const client = createClient({
          url: `redis://127.0.0.1:${port}`,
          socket: { reconnectStrategy: false },
          ...(password === undefined ? {} : { password }),
        });
        client.on("error", () => {});
        try {
          await client.connect();
          return await client.sendCommand(["CONFIG", "GET", "maxmemory-policy"]);
        } catch (error) {
          return String(error).includes("WRONGPASS") || String(error).includes("NOAUTH") ? "refused" : String(error);
        } finally {
          if (client.isOpen) client.destroy();
        }
      };
      expect([await ask(), await ask("wrong"), await ask("a-password")]).toEqual([
        ...["refused", "refused", { "maxmemory-policy": "noeviction" }],
      ]);
      expect(await readFile(`/proc/${child.pid}/cmdline`, "utf8")).not.toContain("a-password");
    } finally {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true });
    }
  },
);
