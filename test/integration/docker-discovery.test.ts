import { randomBytes } from "node:crypto";
import { afterEach, expect } from "@jest/globals";
import pino from "pino";
import type { BackendSpec } from "../../runtime/registry/backend.ts";
import { DockerDiscovery } from "../../runtime/registry/discovery/docker.ts";
import { dockerOk, TestContainer } from "../support/docker.ts";
import { testWith } from "../support/needs.ts";

const containers: TestContainer[] = [];
let discovery: DockerDiscovery | undefined;
afterEach(async () => {
  await discovery?.close();
  await Promise.all(containers.splice(0).map((container) => container.close()));
});

/** A container that only runs, with labels. */
async function start(labels: readonly string[]): Promise<{ name: string; host: string }> {
  const options = labels.flatMap((label) => ["--label", label]);
  const sleep = ["-e", "setTimeout(() => {}, 3600e3)"];
  const container = await TestContainer.start([...options, "--no-healthcheck", "--entrypoint", "node"], sleep);
  containers.push(container);
  const host = await dockerOk(["inspect", "--format", "{{.NetworkSettings.IPAddress}}", container.name]);
  return { name: container.name, host };
}

testWith("a Docker engine with the image (npm run image)")(
  "running containers with a label are instances, by what their labels say, and for as long as they run",
  async () => {
    const label = `mcp-fleet-test=${randomBytes(4).toString("hex")}`;
    const first = await start([label]);
    await start(["mcp-fleet-test=another"]);
    const heard: (readonly BackendSpec[])[] = [];
    discovery = new DockerDiscovery({ label, scheme: "http", log: pino({ level: "silent" }) });
    discovery.start((found) => void heard.push(found));
    const next = async () => {
      for (let tries = 0; heard.length === 0 && tries < 2000; tries += 1) await new Promise((go) => setTimeout(go, 10));
      return heard.shift();
    };
    const one = { address: `http://${first.host}:8080/mcp` };
    expect(await next()).toEqual([one]);
    const more = ["mcp-fleet.port=9000", "mcp-fleet.path=/", "mcp-fleet.weight=3", "mcp-fleet.zone=b"];
    const second = await start([label, ...more]);
    const two = { address: `http://${second.host}:9000/`, weight: 3, zone: "b" };
    expect(new Set(await next())).toEqual(new Set([one, two]));
    await dockerOk(["pause", first.name]);
    expect(await next()).toEqual([two]);
    await dockerOk(["unpause", first.name]);
    expect(new Set(await next())).toEqual(new Set([one, two]));
    await dockerOk(["kill", second.name]);
    expect(await next()).toEqual([one]);
  },
);
