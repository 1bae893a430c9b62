import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Sealer } from "../../../../runtime/protocol/sealer.ts";
import { type StoredTokens, TokenStore } from "../../../../runtime/upstreams/credentials/token-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokens-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sealer = (fill: number) => new Sealer("test", [{ id: "k", key: Buffer.alloc(32, fill) }]);
const tokens: StoredTokens = { accessToken: "canary", scopes: ["read"], resource: "https://s/mcp" };

test("two stores of the same folder share what is kept, sealed and for the owner only", async () => {
  const store = new TokenStore(folder, sealer(1));
  expect(await store.read("docs")).toEqual({ clients: {}, tokens: {} });
  await store.update("docs", (record) => ({ ...record, current: "https://as", tokens: { "https://as": tokens } }));
  const expected = { clients: {}, current: "https://as", tokens: { "https://as": tokens } };
  expect(await new TokenStore(folder, sealer(1)).read("docs")).toEqual(expected);
  expect(await new TokenStore(folder, sealer(2)).read("docs")).toEqual({ clients: {}, tokens: {} });
  const path = join(folder, "credentials");
  expect(await readdir(path)).toEqual(["docs.sealed"]);
  expect(await readFile(join(path, "docs.sealed"), "utf8")).not.toContain("canary");
  expect([(await stat(path)).mode & 0o777, (await stat(join(path, "docs.sealed"))).mode & 0o777]).toEqual([
    0o700, 0o600,
  ]);
});

test.each(["folder", "memory"])(
  "updates at the same time lose nothing, and only the newest issuers are kept: %s",
  async (kind) => {
    const store = new TokenStore(kind === "memory" ? undefined : folder, sealer(1));
    const issuers = Array.from({ length: 10 }, (_, index) => `https://as${index}`);
    await Promise.all(
      issuers.map((issuer) =>
        store.update("docs", (record) => ({ ...record, tokens: { ...record.tokens, [issuer]: tokens } })),
      ),
    );
    expect(Object.keys((await store.read("docs")).tokens)).toEqual(issuers.slice(2));
  },
);

test("who changes a file has it alone, in whatever process; a lock that was left behind does not last", async () => {
  const [one, other] = [new TokenStore(folder, sealer(1)), new TokenStore(folder, sealer(1))];
  const order: string[] = [];
  const first = one.exclusively("docs", async (_record, save) => {
    order.push("first");
    await new Promise((resolve) => setImmediate(resolve));
    await save({ clients: {}, tokens: { a: tokens } });
    order.push("saved");
  });
  while (order.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await other.exclusively("docs", async (record) => order.push(`sees ${Object.keys(record.tokens)}`));
  await first;
  expect(order).toEqual(["first", "saved", "sees a"]);
  const lock = join(folder, "credentials/docs.sealed.lock");
  await writeFile(lock, "");
  await utimes(lock, 1, 1);
  await one.update("docs", (record) => ({ ...record, current: "a" }));
  expect(await readdir(join(folder, "credentials"))).toEqual(["docs.sealed"]);
});

test("a folder that cannot be written is named", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  await chmod(file, 0o400);
  const store = new TokenStore(file, sealer(1));
  await expect(store.update("docs", (record) => record)).rejects.toThrow(
    /^.*file\/credentials\/docs\.sealed cannot be written \(.*\); make the folder writable or choose another one with --state$/,
  );
});
