import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { AdminClient } from "../../../../runtime/orchestrator/process-platform/admin-client.ts";
import {
  fitsSocket,
  isOurOwn,
  ownSocketFolder,
} from "../../../../runtime/orchestrator/process-platform/socket-folder.ts";
import { StateFolder } from "../../../../runtime/orchestrator/process-platform/state-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "socket-folder-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the socket of a long state folder is in a folder of the user's own, not under a name that others can take first", () => {
  const { socket } = new StateFolder(`/srv/${"long/".repeat(30)}state`);
  expect(socket).toBe(new StateFolder(`/srv/${"long/".repeat(30)}state`).socket);
  expect(socket).not.toBe(new StateFolder(`/srv/${"long/".repeat(30)}other`).socket);
  expect([fitsSocket(socket), dirname(dirname(socket)) === tmpdir() || socket.startsWith(homedir())]).toEqual([
    true,
    true,
  ]);
  expect(dirname(socket)).not.toBe(tmpdir());
  expect(new StateFolder("/srv/state").socket).toBe("/srv/state/admin.sock");
});

test("the folder of the socket is made for its user alone; one that others made or can write to is refused", () => {
  const socket = join(folder, "run", "a.sock");
  ownSocketFolder(socket);
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
  const fix = "remove it, or choose a shorter state folder (process.stateDirectory, MCP_FLEET_STATE)";
  const refused = (why: string) => `the folder of the admin socket, ${dirname(socket)}, ${why}; ${fix}`;
  chmodSync(dirname(socket), 0o777);
  expect(() => ownSocketFolder(socket)).toThrow(refused("can be written to by other users"));
  rmSync(dirname(socket), { recursive: true });
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync(join(folder, "elsewhere"), dirname(socket));
  expect(() => ownSocketFolder(socket)).toThrow(refused("is no folder"));
});

test("what answers at the socket must be the user's own, and speak JSON", async () => {
  expect([isOurOwn(folder), isOurOwn("/proc/1/environ"), isOurOwn(join(folder, "none"))]).toEqual([true, true, false]);
  const path = join(folder, "admin.sock");
  const server = createServer((_request, response) => response.end("no JSON"));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await expect(new AdminClient(path).status()).rejects.toMatchObject({
    code: "GATEWAY_UNREACHABLE",
    message: expect.stringMatching(`^no gateway answers at ${path} \\(.*JSON\\)$`),
  });
  server.closeAllConnections();
  server.close();
});
