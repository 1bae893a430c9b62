import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { findCommand } from "../../runtime/orchestrator/find-command.ts";
import { Checkout, type Ended, freePort } from "../support/checkout.ts";
import { testWith } from "../support/needs.ts";

// What a user gets wrong ends with one message, the right exit code, and nothing half-deployed.
const engine = testWith("a Pulumi engine");
let checkout: Checkout;
let port: number;

beforeAll(async () => {
  checkout = new Checkout({ modules: "shared" });
  port = await freePort();
  expect((await checkout.run("node scripts/setup.mjs")).code).toBe(0);
});
afterEach(() => {
  checkout.restore();
  expect(checkout.processes()).toEqual({});
  const left = existsSync(checkout.state) ? readdirSync(checkout.state) : [];
  expect(left.filter((name) => name !== "pulumi" && name !== "log")).toEqual([]);
});
afterAll(() => checkout.close());

/** The message that the command ended with, without the lines of npm and of progress. */
function messageOf({ err }: Ended): string[] {
  const lines = err.trim().split("\n");
  const at = lines.findIndex((line) => line.startsWith("mcp-fleet: "));
  return lines
    .slice(at)
    .filter((line) => !line.startsWith("npm ") && !line.startsWith("(the engine's whole log") && line !== "");
}

/** One fleet and a free port, with a mistake. */
function mistake(gateway: object, fleet: object): void {
  checkout.configure((config) => {
    config["mcp-fleet:gateway"] = { port, ...gateway };
    config["mcp-fleet:fleets"] = { notes: { type: "sequential", ...fleet } };
  });
}

const cases: [string, object, object, string][] = [
  [
    "a wrong key",
    {},
    { scaling: { maxInstance: 6 } },
    'mcp-fleet: MCPServerFleet "notes": scaling.maxInstance: is not a known key; did you mean "maxInstances"?',
  ],
  [
    "a wrong type",
    { port: "eighty" },
    {},
    'mcp-fleet: MCPGateway "gateway": port: is "eighty", which is not an integer; give an integer',
  ],
  [
    "a missing binary",
    {},
    { type: "custom", process: { command: "no-such-server" } },
    'mcp-fleet: notes-fleet: servers.notes.process.command: "no-such-server" is not an executable on PATH; install it, correct the name, or give an absolute path',
  ],
];
engine("a wrong key, a wrong type and a missing binary are refused at npm start", async () => {
  for (const [, gateway, fleet, message] of cases) {
    mistake(gateway, fleet);
    const ended = await checkout.run("npm start");
    expect([ended.code, messageOf(ended)]).toEqual([2, [message]]);
  }
});

engine("a busy port is refused at preview as at start", async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(port, "127.0.0.1", resolve));
  mistake({}, {});
  const endings = [await checkout.run("npm run preview"), await checkout.run("npm start")];
  blocker.close();
  const message = `mcp-fleet: gateway-gateway: port: 127.0.0.1:${port} is in use by another program; stop what listens there, or set port to another one (0 takes a free one)`;
  expect(endings.map((ended) => [ended.code, messageOf(ended)])).toEqual([
    [2, [message]],
    [2, [message]],
  ]);
});

test("an unknown stack is named, with those that there are", async () => {
  const ended = await checkout.run("npm run preview -- --stack nowhere");
  const message =
    'mcp-fleet: --stack: there is no stack "nowhere" (no file stacks/Pulumi.nowhere.yaml); there are: dev, docker, prod, staging, systemd';
  expect([ended.code, messageOf(ended)]).toEqual([2, [message]]);
});

/** A folder that not even root may write into, else one that this user may not. */
function readOnlyFolder(): string {
  if (process.getuid?.() === 0) return "/sys/mcp-fleet";
  const folder = join(mkdtempSync(join(checkout.temporary, "read-only-")), "state");
  mkdirSync(folder);
  chmodSync(folder, 0o500);
  return join(folder, "here");
}

engine("a state folder that cannot be written is refused, the project's and a gateway's own", async () => {
  const folder = readOnlyFolder();
  const whole = await checkout.run("npm start", { MCP_FLEET_STATE: folder });
  expect([whole.code, messageOf(whole)]).toEqual([
    2,
    [
      expect.stringMatching(
        /^mcp-fleet: the state folder .+ cannot be written \(.+\); make it writable, or set MCP_FLEET_STATE to another folder$/,
      ),
    ],
  ]);
  mistake({ process: { stateDirectory: folder } }, { process: { stateDirectory: folder } });
  const own = await checkout.run("npm start");
  const fix = "make the folder writable, or choose another one \\(process.stateDirectory, MCP_FLEET_STATE\\)";
  const line = `^mcp-fleet: notes-fleet: the state folder ${folder} cannot be written \\(.+\\); ${fix}$`;
  expect([own.code, messageOf(own)]).toEqual([2, [expect.stringMatching(new RegExp(line))]]);
});

test("without any Pulumi engine the message names the three ways to get one", async () => {
  const bin = join(checkout.temporary, "bin");
  mkdirSync(bin);
  // A machine with a shell, Node.js and git, and nothing that could download or build an engine.
  for (const name of ["bash", "sh", "env", "git", "node"]) {
    symlinkSync(findCommand(name, checkout.env.PATH as string, "/") as string, join(bin, name));
  }
  const npm = dirname(findCommand("npm", checkout.env.PATH as string, "/") as string);
  symlinkSync(join(npm, "npm"), join(bin, "npm"));
  const home = join(checkout.temporary, "home");
  mkdirSync(home);
  const ended = await checkout.run("npm start", { PATH: bin, HOME: home, ENGINES_HOME: join(home, "engines") });
  const message = messageOf(ended);
  expect([ended.code, message[0], message.at(-1)]).toEqual([
    1,
    "mcp-fleet: no Pulumi engine: Pulumi 3.249 or newer is needed and was not found.",
    "Three ways to get one: install Pulumi so that `pulumi` is on PATH; or let this command download it (it needs to reach Pulumi's download host); or install Go 1.25 or newer and let this command build it once (about 10 minutes).",
  ]);
  expect(message).toContain("  - `pulumi` is not on PATH");
  expect(message).toContain("  - it cannot be built: `go` is not on PATH");
});
