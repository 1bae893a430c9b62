import { execFile } from "node:child_process";
import { type KubernetesObject, place } from "./objects.ts";

/** Runs it; rejects with the API server's words. */
export function kubectl(args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("kubectl", args, { env: process.env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() || error.message));
    });
    child.stdin?.end(input);
  });
}

/** The object as it is in the cluster; undefined when it is not there. */
export async function live(object: KubernetesObject): Promise<KubernetesObject | undefined> {
  const text = await kubectl(["get", "--ignore-not-found", "--show-managed-fields", "-o", "json", ...place(object)]);
  return text === "" ? undefined : (JSON.parse(text) as KubernetesObject);
}

/** Objects of a namespace with these labels. */
export async function listed<Item>(kind: string, namespace: string, labels: string): Promise<Item[]> {
  const text = await kubectl(["get", kind, "--namespace", namespace, "--selector", labels, "-o", "json"]);
  return (JSON.parse(text) as { items: Item[] }).items;
}

/** Has the API server no such kind? (meta.IsNoMatchError) */
export const isNoMatch = (error: unknown): boolean =>
  /no matches for kind|the server doesn't have a resource type/.test(String(error));
/** The cluster is not there at all. */
export const isUnreachable = (error: unknown): boolean =>
  /couldn't get current server API group list|was refused - did you specify/.test(String(error));
export const isNotFound = (error: unknown): boolean => /\(NotFound\)/.test(String(error));
export const isConflict = (error: unknown): boolean => /Apply failed with \d+ conflict/.test(String(error));
export const isAlreadyThere = (error: unknown): boolean => /\(AlreadyExists\)/.test(String(error));
