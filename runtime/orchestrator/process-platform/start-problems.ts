import { accessSync, constants, existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaults } from "../../config/defaults.ts";
import { resolveReferences } from "../../config/references.ts";
import type { Gateway, Server } from "../../config/schema/index.ts";
import { messageOf } from "../../errors.ts";
import { claimPort, claimTcpPort } from "../../listeners/ports.ts";
import { sessionKeys } from "../../protocol/session-keys.ts";
import { tlsOptions } from "../../security/index.ts";
import { daemonEnvironment } from "./daemon-process.ts";
import type { StateFolder } from "./state-folder.ts";

/** How often a port is tried before it counts as taken, and the time between. */
const [claims, claimMs] = [20, 50];

/** Where a daemon listens. */
type Addresses = Pick<Gateway, "host" | "port" | "listeners">;

/** What a daemon with these settings would stumble over, found without starting one; `running` is what the one that runs has. */
export async function startProblems(
  state: StateFolder,
  gateway: Gateway,
  running: Addresses | undefined,
): Promise<string[]> {
  const { value, problems } = await referencesOf(state, gateway);
  if (problems.length > 0) return problems;
  const { tls, session, log, audit } = value as Gateway;
  const looks = [
    () => void (tls && tlsOptions(tls)),
    async () => void (await sessionKeys(session?.keys, undefined)),
    () => checkWritable("log.file", log?.file),
    () => checkWritable("audit.file", audit?.file),
    () => checkPorts(value as Gateway, running),
  ];
  const found = await Promise.all(looks.map(async (look) => messagesOf(look)));
  return found.flat();
}

/** References of a server that cannot be resolved. */
export async function serverReferenceProblems(state: StateFolder, server: Server): Promise<string[]> {
  return (await referencesOf(state, server)).problems;
}

/** Each section for itself: what the others say can still be looked at. */
async function referencesOf(state: StateFolder, settings: object): Promise<{ value: object; problems: string[] }> {
  const value: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, section] of Object.entries(settings)) {
    try {
      Object.assign(
        value,
        (await resolveReferences({ [key]: section }, { file: state.path, env: daemonEnvironment() })).value,
      );
    } catch (error) {
      problems.push(...messageOf(error).replaceAll(`${state.path}: `, "").split("\n"));
    }
  }
  return { value, problems };
}

async function checkPorts(gateway: Gateway, running: Addresses | undefined): Promise<void> {
  const { host = defaults.gateway.host, port = defaults.gateway.port, listeners } = gateway;
  const before = running && {
    host: running.host ?? defaults.gateway.host,
    port: running.port ?? defaults.gateway.port,
  };
  if (before?.host !== host || before.port !== port) await soon(() => claimPort(host, port));
  const tcp = listeners?.tcp?.port;
  if (tcp !== undefined && tcp !== running?.listeners?.tcp?.port) await soon(() => claimTcpPort(tcp));
}

/** A daemon that was killed holds its ports for a moment after its process counts as gone. */
async function soon(claim: () => Promise<unknown>): Promise<void> {
  for (let left = claims; left > 0; left -= 1) {
    try {
      await claim();
      return;
    } catch (error) {
      if (left === 1) throw error;
      await sleep(claimMs);
    }
  }
}

function checkWritable(field: string, file: string | undefined): void {
  if (file === undefined) return;
  let there = file;
  while (!existsSync(there)) there = dirname(there);
  try {
    if (there === file) accessSync(file, constants.W_OK);
    // Root may write by the modes of every folder, but not on every file system.
    else rmdirSync(mkdtempSync(join(there, ".mcp-fleet-")));
  } catch (error) {
    throw new Error(`${field}: ${file} cannot be written (${messageOf(error)}); give a path that can`);
  }
}

async function messagesOf(look: () => void | Promise<void>): Promise<string[]> {
  try {
    await look();
    return [];
  } catch (error) {
    // Users of the component write the settings without it.
    return [messageOf(error).replace(/(^|\bset )gateway\./g, "$1")];
  }
}
