import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import type { Limits, Sandbox } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";

const testSandbox = testWith("bubblewrap (and a kernel that lets it)");
const fixture = join(import.meta.dirname, "../fixtures/greedy-server.mjs");
let folder: string;
let inside: string;
let it: TestGateway;
const listeners: NetServer[] = [];
const listen = (where: object) =>
  new Promise<NetServer>((resolve) => {
    const server = createServer((socket) => socket.end()).listen(where, () => resolve(server));
    listeners.push(server);
  });
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-test-"));
  const network = await listen({ host: "127.0.0.1", port: 0 });
  port = (network.address() as { port: number }).port;
  await listen({ path: join(folder, "socket") });
});
beforeEach(async () => {
  await mkdir(join(folder, "kept"));
  await writeFile(join(folder, "secret"), "s3cret");
  await writeFile(join(folder, "given"), "given");
  inside = join(folder, "kept", "new");
});
afterEach(async () => {
  await it.close();
  await rm(join(folder, "kept"), { recursive: true });
});
afterAll(async () => {
  for (const listener of listeners) listener.close();
  await rm(folder, { recursive: true, force: true });
});

/** A session with a server that tries what it is told to try. */
const start = async (sandbox: Sandbox | undefined, limits?: Limits, cwd?: string) => {
  it = await TestGateway.start({
    servers: {
      greedy: {
        ...{ type: "custom", isolation: "shared" },
        process: { command: process.execPath, args: [fixture], ...(cwd === undefined ? {} : { cwd }) },
        ...(sandbox === undefined ? {} : { sandbox }),
        ...(limits === undefined ? {} : { limits }),
      },
    },
  });
  return it.connect("/mcp/greedy");
};

/** How each attempt ends: what it brings, or why it fails. */
async function attempts(client: Client) {
  const { HOME, TMPDIR } = (await say(client, "environment")) as Record<string, string>;
  const read = (path: string) => say(client, "read", { path });
  const write = (path: string) => say(client, "write", { path });
  return {
    secret: await read(join(folder, "secret")),
    "the gateway's environment": String(await read(`/proc/${process.pid}/environ`)).includes("PATH="),
    given: await read(join(folder, "given")),
    "write what is to be read": await write(join(folder, "given")),
    "write beside it": (await write(join(folder, "beside"))) === "done" && existsSync(join(folder, "beside")),
    "write what is to be written": await write(inside),
    "write its temporary folder": await write(join(TMPDIR as string, "new")),
    "its home is that folder": HOME === TMPDIR,
    network: await say(client, "reach", { port }),
    socket: await say(client, "reach", { path: join(folder, "socket") }),
  };
}

const confined = () => ({ read: [fixture, join(folder, "given")], write: [join(folder, "kept")] });
const outcome = {
  ...{ secret: "ENOENT", "the gateway's environment": false, given: "given", "write what is to be read": "EROFS" },
  ...{ "write beside it": false, "write what is to be written": "done", "write its temporary folder": "done" },
  ...{ "its home is that folder": true, network: "ECONNREFUSED", socket: "ENOENT" },
};

testSandbox("a server in a sandbox reads, writes and reaches what it is given, and nothing else", async () => {
  const client = await start(confined());
  expect(await attempts(client)).toEqual(outcome);
  expect(await readFile(inside, "utf8")).toBe("written");
});

testSandbox("with the network it reaches that, and no more files", async () => {
  const client = await start({ ...confined(), network: true });
  expect(await attempts(client)).toEqual({ ...outcome, network: "reached" });
});

testSandbox("without a sandbox all of it succeeds", async () => {
  const client = await start(undefined);
  const done = { "write what is to be read": "done", "write beside it": true, "its home is that folder": false };
  const open = { secret: "s3cret", "the gateway's environment": true, network: "reached", socket: "reached" };
  expect(await attempts(client)).toEqual({ ...outcome, ...done, ...open });
});

testSandbox("limits count the server's own processes, and no orphan hides from them", async () => {
  const client = await start({ read: [fixture] }, { processes: 3 });
  expect(await say(client, "orphans", { count: 2 })).toBe("done");
  const error = await client.callTool({ name: "processes", arguments: { count: 1 } }).catch((failed) => failed);
  expect(error.data).toEqual({ code: "INSTANCE_OVER_LIMIT" });
  expect(error.message).toContain("it used 4 processes, more than limits.processes (3)");
});

testSandbox("what a folder holds can be more open than the folder", async () => {
  await writeFile(inside, "old");
  const other = await start({ write: [inside], read: [fixture, folder] });
  expect(await say(other, "write", { path: join(folder, "kept", "other") })).toBe("EROFS");
  expect(await say(other, "write", { path: inside })).toBe("done");
});

testSandbox("neither a working directory nor a link opens everything", async () => {
  const client = await start({ read: [fixture] }, undefined, "/");
  expect(await say(client, "read", { path: join(folder, "secret") })).toBe("ENOENT");
  expect(await say(client, "read", { path: `/proc/${process.pid}/environ` })).toBe("ENOENT");
  await it.close();
  await symlink("/", join(folder, "kept", "all"));
  await expect(start({ read: [fixture, join(folder, "kept", "all")] })).rejects.toThrow(
    "a link to /; name the folders that the server needs",
  );
});

testSandbox("openFiles is the kernel's within a sandbox too", async () => {
  const client = await start({ read: [fixture] }, { openFiles: 100 });
  expect(await say(client, "files", { count: 200 })).toBe("EMFILE");
});

testSandbox("key rings, further namespaces and a terminal's input are out of reach", async () => {
  const client = await start({ read: [fixture] });
  const call = (...values: (number | string)[]) =>
    say(client, "shell", {
      command: `perl -e 'my @v = (${values.join(", ")}); print syscall(shift @v, @v) < 0 ? $! : "done"'`,
    });
  const x64 = process.arch === "x64";
  const [keyctl, addKey, unshare, clone3] = x64 ? ([250, 248, 272, 435] as const) : ([219, 217, 97, 435] as const);
  // KEYCTL_GET_KEYRING_ID of the session's, and of the user's; CLONE_NEWUSER; TIOCSTI.
  expect(await call(keyctl, 0, -3, 1)).toBe("Operation not permitted");
  expect(await call(keyctl, 0, -4, 1)).toBe("Operation not permitted");
  expect(await call(addKey, "1", "1", "1", 3, -3)).toBe("Operation not permitted");
  expect(await call(unshare, 0x10000000)).toBe("Operation not permitted");
  expect(await call(clone3, 0, 0)).toBe("Function not implemented");
  expect(await say(client, "shell", { command: "perl -e '$x = 1; ioctl(STDIN, 0x5412, $x) or print $!'" })).toBe(
    "Operation not permitted",
  );
  expect(await say(client, "shell", { command: "unshare -U true" })).toContain("Operation not permitted");
});

testSandbox("passwords of proxies reach only a server that has a network", async () => {
  const before = process.env.HTTPS_PROXY;
  process.env.HTTPS_PROXY = "http://user:password@proxy.example:3128";
  try {
    const seen = async (network: boolean) => {
      const client = await start({ read: [fixture], network });
      const { HTTPS_PROXY } = (await say(client, "environment")) as Record<string, string>;
      await it.stop();
      return HTTPS_PROXY;
    };
    expect(await seen(false)).toBeUndefined();
    expect(await seen(true)).toBe("http://user:password@proxy.example:3128");
  } finally {
    if (before === undefined) delete process.env.HTTPS_PROXY;
    else process.env.HTTPS_PROXY = before;
  }
});

testSandbox("its temporary folder is full at limits.diskMiB, and takes nothing from the machine's disk", async () => {
  const client = await start({ read: [fixture] }, { diskMiB: 4 });
  const { TMPDIR } = (await say(client, "environment")) as Record<string, string>;
  const command = `head -c 8388608 /dev/zero > ${TMPDIR}/big; stat -c %s ${TMPDIR}/big`;
  expect(await say(client, "shell", { command })).toBe(
    "head: error writing 'standard output': No space left on device\n4194304\n",
  );
  expect(existsSync(join(TMPDIR as string, "big"))).toBe(false);
});

testSandbox("what is missing is said, and the server does not start", async () => {
  await expect(start({ read: [fixture, join(folder, "missing")] })).rejects.toThrow(
    `servers.greedy.sandbox.read[1]: is \\"${join(folder, "missing")}\\", which is not there; create it, or correct the path","data":{"code":"SANDBOX_UNAVAILABLE"}`,
  );
});
