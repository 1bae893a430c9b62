import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { defaults } from "../../config/defaults.ts";
import type { ClusterAccess } from "../../config/schema/index.ts";
import { bracketed } from "../../host-name.ts";

/** A cluster's API, and who asks it. */
export interface ClusterCredentials {
  /** `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Where this comes from, for messages: a context and its file. */
  readonly origin: string;
  readonly token?: string | undefined;
  readonly proxy?: string | undefined;
  readonly tls: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
    readonly servername?: string | undefined;
    readonly rejectUnauthorized?: boolean;
  };
}

type Entry = Readonly<Record<string, unknown>>;

interface ExecCredential {
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
  };
}

/** The parts of a kubeconfig (kubernetes.io/docs/reference/config-api/kubeconfig.v1) that are read, each named thing once. */
class Kubeconfig {
  currentContext: string | undefined;
  readonly #named = new Map<string, { readonly entry: Entry; readonly folder: string }>();

  /** Where several files name the same thing, the first one counts. */
  add(text: string, folder: string): void {
    const file = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
    this.currentContext ??= (file["current-context"] as string | undefined) || undefined;
    for (const kind of ["cluster", "context", "user"]) {
      for (const item of (file[`${kind}s`] ?? []) as Entry[]) {
        const key = `${kind}/${item.name}`;
        if (!this.#named.has(key)) this.#named.set(key, { entry: (item[kind] ?? {}) as Entry, folder });
      }
    }
  }

  find(kind: "cluster" | "context" | "user", name: unknown): { readonly entry: Entry; readonly folder: string } {
    const found = this.#named.get(`${kind}/${name}`);
    if (found !== undefined) return found;
    const fix = "correct the kubeconfig, or choose another context by kubernetes:context";
    throw new Error(`the kubeconfig has no ${kind} "${name}"; ${fix}`);
  }
}

/**
 * What Pulumi's Kubernetes provider uses too: the kubeconfig that it is given (a path or its text), else the files of
 * KUBECONFIG or `~/.kube/config`, else the service account of the pod that this runs in.
 */
export async function clusterCredentials(
  { kubeconfig, context: chosen }: ClusterAccess = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<ClusterCredentials> {
  const config = new Kubeconfig();
  const given = kubeconfig?.replace(/^~(?=\/|$)/, homedir());
  const text = given !== undefined && !existsSync(given);
  const usual = env.KUBECONFIG ?? join(homedir(), ".kube", "config");
  const files = text ? [] : (given ?? usual).split(delimiter).filter((file) => file !== "" && existsSync(file));
  if (text) config.add(given, process.cwd());
  for (const file of files) config.add(await readFile(file, "utf8"), dirname(file));
  if (!text && files.length === 0) return podCredentials(env);
  const name = chosen ?? config.currentContext;
  const { cluster, user } = config.find("context", name).entry;
  const { entry: at, folder } = config.find("cluster", cluster);
  const who = user === undefined || user === "" ? undefined : config.find("user", user);
  const verified = at["insecure-skip-tls-verify"] !== true;
  return {
    server: String(at.server).replace(/\/$/, ""),
    origin: `context "${name}" of ${text ? "the given kubeconfig" : files.join(", ")}`,
    proxy: at["proxy-url"] as string | undefined,
    ...(await identityOf(who?.entry ?? {}, who?.folder ?? folder, env, {
      ca: await content(at, "certificate-authority", folder),
      servername: at["tls-server-name"] as string | undefined,
      rejectUnauthorized: verified,
    })),
  };
}

async function identityOf(
  user: Entry,
  folder: string,
  env: NodeJS.ProcessEnv,
  tls: ClusterCredentials["tls"],
): Promise<Pick<ClusterCredentials, "token" | "tls">> {
  const { exec } = user as { exec?: ExecArgs };
  if (exec !== undefined) {
    const { status } = await executed(exec, env);
    return {
      token: status?.token,
      tls: { ...tls, cert: status?.clientCertificateData, key: status?.clientKeyData },
    };
  }
  const file = user.tokenFile as string | undefined;
  const token = file === undefined ? (user.token as string | undefined) : await readFile(within(folder, file), "utf8");
  return {
    token: token?.trim(),
    tls: {
      ...tls,
      cert: await content(user, "client-certificate", folder),
      key: await content(user, "client-key", folder),
    },
  };
}

interface ExecArgs {
  readonly apiVersion: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
}

/** A command that gives credentials (kubernetes.io/docs/reference/access-authn-authz/authentication, "client-go credential plugins"). */
async function executed({ apiVersion, command, args, env: more }: ExecArgs, env: NodeJS.ProcessEnv) {
  const own = Object.fromEntries((more ?? []).map(({ name, value }) => [name, value]));
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  const { stdout } = await promisify(execFile)(command, [...(args ?? [])], {
    env: { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    maxBuffer: 1 << 20,
  });
  return JSON.parse(stdout) as ExecCredential;
}

const within = (folder: string, file: string): string => (isAbsolute(file) ? file : join(folder, file));

/** What stands there itself, in base64, or in a file. */
async function content(entry: Entry, key: string, folder: string): Promise<string | undefined> {
  const data = entry[`${key}-data`] as string | undefined;
  if (data !== undefined && data !== "") return Buffer.from(data, "base64").toString("utf8");
  const file = entry[key] as string | undefined;
  return file === undefined || file === "" ? undefined : readFile(within(folder, file), "utf8");
}

async function podCredentials(env: NodeJS.ProcessEnv): Promise<ClusterCredentials> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (host === undefined) {
    const fix = "set KUBECONFIG, or kubernetes:kubeconfig of the stack";
    throw new Error(`there is no kubeconfig (neither KUBECONFIG nor ~/.kube/config); ${fix}`);
  }
  const file = (name: string) => readFile(join(defaults.discovery.kubernetesCredentials, name), "utf8");
  return {
    server: `https://${bracketed(host)}:${port ?? 443}`,
    origin: "this pod's service account",
    token: (await file("token")).trim(),
    tls: { ca: await file("ca.crt") },
  };
}
