import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fleetWorkload as awsWorkload } from "../../components/aws/fleet-workload.ts";
import { fleetWorkloads as dockerWorkloads } from "../../components/docker/fleet-workload.ts";
import { dockerNames } from "../../components/docker/names.ts";
import { resolveFleet } from "../../components/fleet/resolve.ts";
import { fleetWorkload as kubernetesWorkload } from "../../components/kubernetes/fleet-workload.ts";
import {
  fleetToken,
  fleetUnits,
  type FleetWorkload as SystemdWorkload,
  fleetWorkload as systemdWorkload,
} from "../../components/systemd/fleet-units.ts";
import type { MCPServerFleetArgs } from "../../index.ts";
import { HostProcess } from "./host-process.ts";

const entry = join(import.meta.dirname, "../../runtime/cli/main.ts");

/** The platforms that run a server under `mcp-fleet host`. */
export const hostPlatforms = ["docker", "kubernetes", "aws", "systemd"] as const;
export type HostPlatform = (typeof hostPlatforms)[number];

/** A server host as a platform deploys it, started here, and the token that gateways send it. */
export interface DeployedHost {
  readonly url: string;
  readonly token: string | undefined;
  stop(): Promise<void>;
}

/** Starts what the platform would start for a fleet called `note`, at this port of this machine; 0 takes a free one. */
export async function startDeployed(
  platform: HostPlatform,
  args: Partial<MCPServerFleetArgs>,
  port = "0",
): Promise<DeployedHost> {
  const settings = resolveFleet("note", { platform, type: "custom", ...args });
  if (platform === "systemd") {
    const unit = "two-callers-fleet-note";
    const workload = systemdWorkload(settings, unit, [process.execPath, entry]) as SystemdWorkload;
    return ofUnit(fleetUnits(workload)[`${unit}@.service.d/50-stack.conf`] as string, port);
  }
  const env = {
    docker: () => dockerWorkloads(settings, dockerNames("two-callers"))[0]?.env,
    kubernetes: () => Object.fromEntries(kubernetesWorkload(settings).env.map(({ name, value }) => [name, value])),
    aws: () => awsWorkload(settings).env,
  }[platform]() as Record<string, string>;
  const here = { MCP_FLEET_HOST: "127.0.0.1", MCP_FLEET_PORT: port, TMPDIR: tmpdir() };
  const host = await HostProcess.run([process.execPath, entry, "container"], { ...env, ...here });
  return { url: host.url, token: undefined, stop: () => host.stop() };
}

/** The command and the environment of a unit, with a token of the tests in place of its credential. */
async function ofUnit(text: string, port: string): Promise<DeployedHost> {
  const token = "token-of-the-gateways";
  const folder = mkdtempSync(join(tmpdir(), "deployed-host-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, token);
  const [start = ""] = valuesOf(text, "ExecStart");
  const words = [...start.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    plainText(quoted ?? plain),
  );
  const command = words.map((word) => (word === "%i" ? port : word.endsWith(`/${fleetToken}`) ? tokenFile : word));
  const env = valuesOf(text, "Environment").map((line) => {
    const [name = "", ...value] = plainText(line.slice(1, -1)).split("=");
    return [name, value.join("=")] as const;
  });
  const host = await HostProcess.run(command, { ...Object.fromEntries(env), MCP_FLEET_CACHE: join(folder, "cache") });
  const stop = async () => {
    await host.stop();
    rmSync(folder, { recursive: true });
  };
  return { url: host.url, token, stop };
}

const valuesOf = (text: string, key: string): string[] =>
  text.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));

/** What systemd makes of a word (systemd.syntax(7), systemd.unit(5) "Specifiers"). */
const plainText = (word = ""): string => word.replaceAll(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$");
