import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { identity } from "../../runtime/version.ts";

/** The image that `npm run image` makes. */
export const image = process.env.MCP_FLEET_IMAGE ?? `mcp-fleet:${identity.version}`;

/** What the docker command has said, and its exit code. */
export interface DockerAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one docker command; `input` goes to its standard input. */
export function docker(args: readonly string[], input?: string): Promise<DockerAnswer> {
  return new Promise((resolve) => {
    const child = execFile("docker", args, { maxBuffer: 1 << 26 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: out.trim(), err: err.trim() }),
    );
    child.stdin?.end(input);
  });
}

/** The same; rejects when it fails. */
export async function dockerOk(args: readonly string[], input?: string): Promise<string> {
  const { code, out, err } = await docker(args, input);
  if (code === 0) return out;
  throw new Error(`docker ${args.join(" ")}: ${err}`);
}

/** Asks again and again until the answer is there; the test's own time limit bounds it. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The flags under which the image must serve, as its page says. */
export const hardened = ["--read-only", "--cap-drop", "ALL", "--user", "65532", "--security-opt", "no-new-privileges"];

/** A container of a test; removed by `close`. */
export class TestContainer {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** Starts one with its ports published on free ports of 127.0.0.1. */
  static async start(options: readonly string[], command: readonly string[] = []): Promise<TestContainer> {
    const name = `mcp-fleet-test-${randomBytes(4).toString("hex")}`;
    await dockerOk(["run", "--detach", "--name", name, ...options, image, ...command]);
    return new TestContainer(name);
  }

  /** `http://127.0.0.1:PORT` of a published port, once it answers that it is ready. */
  async url(port: number): Promise<string> {
    const address = (await dockerOk(["port", this.name, String(port)])).split("\n")[0];
    const url = `http://${address}`;
    return until(async () => ((await fetch(`${url}/ready`)).ok ? url : undefined));
  }

  /** What a program says that Node.js runs inside, as JSON. */
  async inside<T>(program: string): Promise<T> {
    return JSON.parse(await dockerOk(["exec", this.name, "node", "-e", program])) as T;
  }

  async inspect(): Promise<ContainerState> {
    const [found] = JSON.parse(await dockerOk(["inspect", this.name])) as [{ State: ContainerState }];
    return found.State;
  }

  /** Sends SIGTERM and returns the exit code. */
  async stop(): Promise<number> {
    await dockerOk(["stop", "--time", "20", this.name]);
    return (await this.inspect()).ExitCode;
  }

  async logs(): Promise<string> {
    const { out, err } = await docker(["logs", this.name]);
    return out + err;
  }

  async close(): Promise<void> {
    await docker(["rm", "--force", "--volumes", this.name]);
  }
}

/** The part of a container's state that tests look at. */
export interface ContainerState {
  readonly Status: string;
  readonly ExitCode: number;
  readonly OOMKilled: boolean;
  readonly Pid: number;
  readonly Health?: { readonly Status: string };
}
