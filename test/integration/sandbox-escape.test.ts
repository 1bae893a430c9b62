import { existsSync, readFileSync } from "node:fs";
import { copyFile, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { resolveConfig } from "../../runtime/config/index.ts";
import type { ConfigFile, Sandbox, Server } from "../../runtime/config/schema/index.ts";
import { say, TestGateway } from "../support/gateway.ts";
import { testWith } from "../support/needs.ts";

const testSandbox = testWith("bubblewrap (and a kernel that lets it)");
const fixture = join(import.meta.dirname, "../fixtures/greedy-server.mjs");
let folder: string;
let it: TestGateway | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "escape-test-"));
  for (const name of ["outside", "notes/work", "elsewhere"]) await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, "outside", "secret"), "s3cret");
});
afterEach(async () => {
  await it?.close();
  it = undefined;
  await rm(folder, { recursive: true, force: true });
});

const at = (path: string) => join(folder, path);
/** As many steps up as lead to the root from anywhere here, and down again. */
const up = (path: string) => `${"../".repeat(12)}${path.slice(1)}`;

const greedy = (sandbox: Sandbox, cwd?: string): Server => ({
  type: "custom",
  isolation: "shared",
  process: { command: process.execPath, args: [fixture], ...(cwd === undefined ? {} : { cwd }) },
  sandbox: { ...sandbox, read: [fixture, ...(sandbox.read ?? [])] },
});
const start = async (servers: ConfigFile["servers"], options = {}) => {
  it = await TestGateway.start({ servers }, options);
  return it;
};
const shell = (client: Client, command: string) => say(client, "shell", { command });
/** The server ends itself; the next call goes to a new process. */
const restart = (client: Client) => client.callTool({ name: "end", arguments: {} }).catch(() => undefined);
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error) => error.message,
  );

testSandbox("a link in place of its working directory shows a server nothing after its restart", async () => {
  const client = await (await start({ box: greedy({ write: [at("notes")] }, at("notes/work")) })).connect("/mcp/box");
  expect(await shell(client, `cd ${at("notes")} && mv work old && ln -s ${up("/")} work`)).toBe("");
  await restart(client);
  // It is at the root of its own sandbox, and sees there what it saw before.
  expect(await shell(client, `cat outside/secret ${at("outside/secret")}; ls ${folder}`)).toBe(
    `cat: outside/secret: No such file or directory\ncat: ${at("outside/secret")}: No such file or directory\nnotes\n`,
  );
  expect(await shell(client, "pwd -P; ls -d root home etc/shadow")).toMatch(
    /^\/\nls: .*root.*\nls: .*home.*\nls: .*shadow.*\n$/,
  );
});

testSandbox("a command in its own folder, swapped for a link, is looked up inside", async () => {
  await copyFile(fixture, at("notes/server.mjs"));
  await writeFile(at("notes/run"), `#!/bin/sh\nexec ${process.execPath} ${at("notes/server.mjs")}\n`, { mode: 0o755 });
  await writeFile(at("outside/run"), `#!/bin/sh\ntouch ${at("outside/mark")}\nexit 3\n`, { mode: 0o755 });
  const process_ = { command: "./run", cwd: at("notes") };
  const box: Server = { ...greedy({ write: [at("notes")], read: [process.execPath] }), process: process_ };
  const client = await (await start({ box })).connect("/mcp/box");
  await shell(client, `cd ${at("notes")} && mv run old && ln -s ${up(at("outside/run"))} run`);
  await restart(client);
  const error = await failure(say(client, "count"));
  // Inside the sandbox the link leads to nothing. The command outside would have left its mark.
  expect(error).toContain("box: the server process (./run) did not start: exit code 1");
  expect(existsSync(at("outside/mark"))).toBe(false);
});

test.each<[string, (path: string) => Record<string, Server>, string]>([
  ["read", (path) => ({ box: greedy({ write: [path], read: [`${path}/work`] }) }), "sandbox.read[1]"],
  ["write", (path) => ({ box: greedy({ write: [path, `${path}/work`] }) }), "sandbox.write[1]"],
  ["cwd", (path) => ({ other: greedy({ write: [path] }), box: greedy({}, `${path}/work`) }), "process.cwd"],
  [
    "write of another server",
    (path) => ({ other: greedy({ write: [path] }), box: greedy({ write: [`${path}/work`] }) }),
    "sandbox.write[0]",
  ],
])("%s within a folder that a server can write to is refused", async (_what, servers, field) => {
  const gateway = await start(servers(at("notes")));
  const writer = field.startsWith("sandbox") && !("other" in servers("")) ? "box" : "other";
  expect(await failure(gateway.connect("/mcp/box"))).toContain(
    `servers.box.${field}: is \\"${at("notes/work")}\\", which lies within ${at("notes")}, where server \\"${writer}\\" can put links; name a path outside of it, or the folder itself`,
  );
});

testSandbox("the folder of a link counts, not the name of the folder", async () => {
  await symlink(at("notes"), at("elsewhere/link"));
  const servers = { other: greedy({ write: [at("elsewhere/link")] }), box: greedy({ read: [at("notes/work")] }) };
  const gateway = await start(servers);
  expect(await failure(gateway.connect("/mcp/box"))).toContain(
    `which lies within ${at("notes")}, where server \\"other\\" can put links`,
  );
  await gateway.close();
  const turned = { other: greedy({ write: [at("notes")] }), box: greedy({ read: [at("elsewhere/link/work")] }) };
  expect(await failure((await start(turned)).connect("/mcp/box"))).toContain(
    `which lies within ${at("notes")}, where server \\"other\\" can put links`,
  );
});

testSandbox("a link that a server put there before the configuration changed is not followed", async () => {
  const state = await mkdtemp(join(folder, "state-"));
  const before = { a: greedy({ write: [at("notes")] }) };
  const after = { b: greedy({ write: [at("notes/work")] }), c: greedy({ read: [at("notes/work")] }) };
  const gateway = await start(before, { stateDirectory: state });
  const client = await gateway.connect("/mcp/a");
  await shell(client, `cd ${at("notes")} && rmdir work && ln -s ${at("outside")} work`);
  expect((await lstat(at("notes/work"))).isSymbolicLink()).toBe(true);
  const refused = (field: string) =>
    `${field}: is \\"${at("notes/work")}\\", which leads over a link within ${at("notes")}, where a server could put links; name the path without that link`;

  const log = { level: "silent" as const };
  gateway.gateway.apply(resolveConfig({ gateway: { port: 0, log }, servers: after }), []);
  const [b, c] = await Promise.all(["/mcp/b", "/mcp/c"].map((path) => failure(gateway.connect(path))));
  // While the old process still runs, nothing within its folder can be named at all.
  expect(b).toMatch(/servers\.b\.sandbox\.write\[0\]: is .*, which (lies within|leads over a link within) /);
  expect(c).toMatch(/servers\.c\.sandbox\.read\[1\]: is .*, which (lies within|leads over a link within) /);
  await gateway.stop();

  const next = await start(after, { stateDirectory: state });
  expect(await failure(next.connect("/mcp/b"))).toContain(refused("servers.b.sandbox.write[0]"));
  expect(await failure(next.connect("/mcp/c"))).toContain(refused("servers.c.sandbox.read[1]"));
  expect(await readdir(at("outside"))).toEqual(["secret"]);
});

testSandbox(
  "a path that leads elsewhere than when the configuration was read is not followed until that is read again",
  async () => {
    await mkdir(at("releases/1"), { recursive: true });
    await writeFile(at("releases/1/name"), "one");
    await mkdir(at("releases/2"));
    await writeFile(at("releases/2/name"), "two");
    await symlink("1", at("releases/current"));
    const servers = { box: greedy({ read: [at("releases/current")] }) };
    const gateway = await start(servers);
    const client = await gateway.connect("/mcp/box");
    expect(await say(client, "read", { path: at("releases/current/name") })).toBe("one");
    await rm(at("releases/current"));
    await symlink("2", at("releases/current"));
    expect(await say(client, "read", { path: at("releases/current/name") })).toBe("one");
    await restart(client);
    expect(await failure(say(client, "count"))).toContain(
      "servers.box.sandbox: its paths lead elsewhere than when the configuration was read; reload the configuration if that is right",
    );
    gateway.gateway.apply(resolveConfig({ gateway: { port: 0, log: { level: "silent" } }, servers }), []);
    // It is started again with growing pauses, and callers hear of the last failure meanwhile.
    const name = async () => say(await gateway.connect("/mcp/box"), "read", { path: at("releases/current/name") });
    let found: unknown;
    for (let tries = 0; tries < 200 && found === undefined; tries += 1) {
      found = await name().catch(() => undefined);
      if (found === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(found).toBe("two");
  },
);

testSandbox("the gateway's own folder is not seen through a folder around it, and never written to", async () => {
  const state = at("outside/state");
  await mkdir(state);
  const socket = at("outside/admin.sock");
  const file = { gateway: { admin: { socket } }, servers: { box: greedy({ read: [at("outside")] }) } };
  it = await TestGateway.start(file, { stateDirectory: state });
  const client = await it.connect("/mcp/box");
  expect(await shell(client, `cat ${at("outside/secret")}; ls ${state}; touch ${state}/new`)).toBe(
    `s3crettouch: cannot touch '${state}/new': Read-only file system\n`,
  );
  expect(existsSync(socket)).toBe(true);
  expect(await say(client, "reach", { path: socket })).toMatch(/ECONNREFUSED|ENOTSOCK/);
  await it.close();
  await mkdir(state, { recursive: true });
  const why = async (servers: Record<string, Server>) => {
    it = await TestGateway.start({ ...file, servers }, { stateDirectory: state });
    const error = await failure(it.connect("/mcp/box"));
    await it.stop();
    return error;
  };
  expect(await why({ box: greedy({ write: [at("outside")] }) })).toContain(
    `servers.box.sandbox.write[0]: is \\"${at("outside")}\\", which holds ${state}, which is the gateway's own; name the folders that the server needs`,
  );
  expect(await why({ box: greedy({ read: [state] }) })).toContain(
    `servers.box.sandbox.read[1]: is \\"${state}\\", which lies within ${state}, which is the gateway's own`,
  );
  expect(await why({ box: greedy({ write: ["/etc"] }) })).toContain("which every sandbox reads");
});

testSandbox("a server without a sandbox does not run what a server in one can replace", async () => {
  await writeFile(at("notes/run"), `#!/bin/sh\nexec ${process.execPath} ${fixture}\n`, { mode: 0o755 });
  await symlink(at("notes/run"), at("elsewhere/run"));
  const open = (command: string): Server => ({ type: "custom", isolation: "shared", process: { command } });
  const servers = { box: greedy({ write: [at("notes")] }), open: open(at("elsewhere/run")) };
  expect(await failure((await start(servers)).connect("/mcp/open"))).toContain(
    `servers.open.process.command: is \\"${at("elsewhere/run")}\\", which lies within ${at("notes")}, to which server \\"box\\" can write; move it out of there`,
  );
});

testSandbox("the log, files of secrets and folders of programs are not a server's to write", async () => {
  const why = async (gateway: ConfigFile["gateway"], more: Partial<Server>, write: string) => {
    const error = await TestGateway.start({
      gateway: { ...gateway },
      servers: { box: greedy({ write: [write] }), other: { ...greedy({}), ...more } },
    }).then(async (started) => {
      it = started;
      const found = await failure(started.connect("/mcp/box"));
      await started.close();
      return found;
    });
    return /which holds \S+, (which|from which)[^;]*/.exec(error)?.[0] ?? error;
  };
  const own = (path: string) => `which holds ${path}, which is the gateway's own`;
  expect(await why({ log: { level: "silent", file: at("notes/log") } }, {}, at("notes"))).toBe(own(at("notes/log")));
  const path = process.env.PATH;
  process.env.PATH = `${at("elsewhere")}:${path}`;
  try {
    expect(await why({}, {}, at("elsewhere"))).toBe(
      `which holds ${at("elsewhere")}, from which the gateway runs programs`,
    );
  } finally {
    process.env.PATH = path;
  }
});

testSandbox("settings of the kernel cannot be written, not even by root, and nobody's keys are listed", async () => {
  const client = await (await start({ box: greedy({}) })).connect("/mcp/box");
  // What is there already, so that nothing changes where it can be written.
  for (const path of ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness"]) {
    const before = readFileSync(path, "utf8").trim();
    expect(await shell(client, `echo '${before}' > ${path}`)).toMatch(/Read-only file system\n$/);
  }
  expect(await shell(client, "cat /proc/keys /proc/key-users")).not.toMatch(/[0-9a-f]{8} |\d+: +\d+/);
});
