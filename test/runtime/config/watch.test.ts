import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type ConfigWatcher, loadConfig, watchConfig } from "../../../runtime/config/index.ts";

let folder: string;
let watcher: ConfigWatcher;
let seen: (string | number)[];
let heard: () => void;

const text = (port: number) => `gateway: { port: ${port} }\nservers: { a: { type: magic } }\n`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-test-"));
  const path = join(folder, "fleet.yaml");
  await writeFile(path, text(1));
  seen = [];
  const note = (what: string | number) => {
    seen.push(what);
    heard?.();
  };
  watcher = watchConfig({
    path,
    initial: await loadConfig(path),
    // Longer than a busy machine takes from the emptying of a file to its writing.
    debounceMs: 100,
    onChange: async ({ config }) => {
      note(config.gateway.port);
      return undefined;
    },
    onError: (error) => note((error as { code: string }).code),
  });
});
afterEach(async () => {
  watcher.close();
  await rm(folder, { recursive: true });
});

async function after(change: () => Promise<void>): Promise<void> {
  const next = new Promise<void>((resolve) => {
    heard = resolve;
  });
  await change();
  await next;
}

test("a file that is written or replaced is taken over; a wrong one is reported and kept out", async () => {
  const path = join(folder, "fleet.yaml");
  await after(() => writeFile(path, text(2)));
  await after(() => writeFile(path, "gateway: { prot: 3 }\n"));
  await after(async () => {
    await writeFile(join(folder, "new"), text(4));
    await rename(join(folder, "new"), path);
  });
  expect(seen).toEqual([2, "CONFIG_INVALID", 4]);
});

test("reload waits for the result, tells of nothing that has not changed, and rejects what is wrong", async () => {
  await watcher.reload();
  expect(seen).toEqual([]);
  await rm(join(folder, "fleet.yaml"));
  await expect(watcher.reload()).rejects.toMatchObject({ code: "CONFIG_UNREADABLE" });
});

test("after close nothing is heard", async () => {
  watcher.close();
  await writeFile(join(folder, "fleet.yaml"), text(9));
  await watcher.reload();
  expect(seen).toEqual([]);
});

test("a mistake is told once, also when its text is written to a log beside the configuration", async () => {
  const path = join(folder, "fleet.yaml");
  await after(() => writeFile(path, "gateway: { prot: 3 }\n"));
  for (let line = 0; line < 3; line += 1) {
    await writeFile(join(folder, "serve.log"), `the same mistake ${line}\n`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await after(() => writeFile(path, text(4)));
  expect(seen).toEqual(["CONFIG_INVALID", 4]);
});
