import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const kit = join(root, "test/engines/engines");
const run = promisify(execFile);

/** The environment of a shell that has asked the engines kit for it. */
export function clusterEnv(): Record<string, string> {
  const lines = execFileSync(kit, ["env"], { encoding: "utf8" }).matchAll(/^export (\w+)=(.*)$/gm);
  const given = Object.fromEntries([...lines].map(([, name, value]) => [name, value])) as Record<string, string>;
  return { ...given, PATH: (given.PATH ?? "$PATH").replace("$PATH", process.env.PATH ?? "") };
}

/** Asks the cluster of the engines kit. */
export class Cluster {
  readonly env: Record<string, string>;
  readonly #namespace: string;

  constructor(namespace: string) {
    this.env = clusterEnv();
    this.#namespace = namespace;
  }

  /** What `kubectl` says; rejects with its words. */
  async kubectl(...args: string[]): Promise<string> {
    const env = { ...process.env, ...this.env };
    const { stdout } = await run("kubectl", ["--namespace", this.#namespace, ...args], { env, maxBuffer: 1 << 26 });
    return stdout.trim();
  }

  /** An object, or a list. */
  async get<T>(...what: string[]): Promise<T> {
    return JSON.parse(await this.kubectl("get", "-o", "json", ...what)) as T;
  }

  /** Pods of a workload that are ready and are not on their way out. */
  async readyPods(name: string): Promise<string[]> {
    const { items } = await this.get<{ items: Pod[] }>("pods", "--selector", `app.kubernetes.io/name=${name}`);
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .filter(({ status }) => status.conditions?.some(({ type, status }) => type === "Ready" && status === "True"))
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  /** Asks for the eviction of a pod, as the draining of a node does; the HTTP status of the answer. */
  async evict(pod: string): Promise<number> {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: this.#namespace } };
    const file = join(mkdtempSync(join(tmpdir(), "eviction-")), "eviction.json");
    writeFileSync(file, JSON.stringify(eviction));
    const path = `/api/v1/namespaces/${this.#namespace}/pods/${pod}/eviction`;
    try {
      await this.kubectl("create", "--raw", path, "-f", file);
      return 201;
    } catch (error) {
      return String(error).includes("disruption budget") ? 429 : Promise.reject(error);
    } finally {
      rmSync(join(file, ".."), { recursive: true });
    }
  }
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** An image of a public npm package that is a server of its own, on the kit's base image. */
export async function packageImage(tag: string, name: string, version: string, command: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "image-"));
  const npm = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, `${name}@${version}`];
  await run("npm", npm, { cwd: folder });
  const entry = JSON.stringify(["node", `/app/node_modules/${name}/${command[0]}`, ...command.slice(1)]);
  const file = ["FROM local/node:24", "COPY . /app", "WORKDIR /app", "USER 65532:65532", `ENTRYPOINT ${entry}`];
  writeFileSync(join(folder, "Dockerfile"), `${file.join("\n")}\n`);
  await run("docker", ["build", "--quiet", "--tag", tag, folder]);
  rmSync(folder, { recursive: true });
}

/** Puts images of the Docker engine into the cluster. */
export async function loadImages(...tags: string[]): Promise<void> {
  await run(kit, ["load", ...tags]);
}
