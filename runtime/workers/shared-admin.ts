import { setTimeout as pause } from "node:timers/promises";
import { shownInstance } from "../config/shown-source.ts";
import { type ErrorCode, FleetError } from "../errors.ts";
import type { AdminOperation } from "../listeners/admin.ts";
import { type InstancesView, serverOfInstances } from "../listeners/instance-admin.ts";
import { mergedInstances } from "./merged-instances.ts";
import { askProcess } from "./siblings.ts";

/** What a worker answers to an operation: what it saw, or its error. */
export interface OperationAnswer {
  readonly view?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface SharedAdminOptions {
  /** Sockets of the workers that serve now. */
  readonly workers: () => readonly string[];
  /** The supervisor's own: processes are its alone. */
  readonly own: AdminOperation;
  /** Does something else run this server's instances? Then each worker has its own view of them. */
  readonly isRemote: (server: string) => boolean;
}

/** One change of an instance, as it was asked for. */
interface Change {
  readonly server: string;
  readonly method: "POST" | "PATCH";
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Changes that are kept for workers to come; the oldest one goes first. */
const maxChanges = 2000;
/** A worker that has just started may not have found an instance yet. */
const attempts = 20;
const attemptMs = 250;

/** What operators ask of a gateway of several workers: all of them do it, and one that starts later does it again. */
export class SharedAdmin {
  readonly #options: SharedAdminOptions;
  readonly #changes = new Map<string, Change>();

  constructor(options: SharedAdminOptions) {
    this.#options = options;
  }

  /** Undefined for a path of somebody else. Rejects with a worker's own FleetError. */
  async handle(method: string, url: URL, body: unknown): Promise<unknown> {
    const { own, isRemote } = this.#options;
    const server = serverOfInstances(url);
    if (server !== undefined && !isRemote(server)) return own(method, url, body);
    const views = await this.#all(method, url, body);
    if (server === undefined) return views[0] ?? own(method, url, body);
    this.#remember(server, method, url, (body ?? {}) as Change["body"]);
    return mergedInstances(views as InstancesView[]);
  }

  /** Tells a worker that has just started what was asked of its predecessor; resolves when it has the registered instances. */
  async replay(socket: string): Promise<void> {
    const changes = [...this.#changes].filter(([, { server }]) => this.#options.isRemote(server));
    for (const [, change] of changes.filter(([, { method }]) => method === "POST")) await repeat(socket, change);
    for (const [key, change] of changes.filter(([, { method }]) => method === "PATCH")) {
      void this.#change(socket, key, change);
    }
  }

  /** Goes on until the worker has found the instance; one that is not found is forgotten. */
  async #change(socket: string, key: string, change: Change): Promise<void> {
    for (let tries = 0; tries < attempts; tries += 1) {
      const answer = await repeat(socket, change);
      if (answer?.error?.code !== "INSTANCE_UNKNOWN") return;
      await pause(attemptMs, undefined, { ref: false });
    }
    this.#changes.delete(key);
  }

  /** One after another: what they write to the state folder is the same file. */
  async #all(method: string, url: URL, body: unknown): Promise<unknown[]> {
    const views: unknown[] = [];
    let refused: FleetError | undefined;
    for (const socket of this.#options.workers()) {
      // One that is just dying answers nothing; its successor is told again.
      const answer = await operate(socket, method, url, body).catch(() => undefined);
      if (answer?.error !== undefined) refused ??= new FleetError(answer.error.code as ErrorCode, answer.error.message);
      if (answer?.view !== undefined) views.push(answer.view);
    }
    if (views.length === 0 && refused !== undefined) throw refused;
    return views;
  }

  #remember(server: string, method: string, url: URL, body: Change["body"]): void {
    const id = method === "POST" ? shownInstance(String(body.address)) : url.searchParams.get("id");
    const keys = { POST: `${server} POST ${id}`, PATCH: `${server} PATCH ${id}` };
    if (method === "DELETE") for (const key of Object.values(keys)) this.#changes.delete(key);
    if (method !== "POST" && method !== "PATCH") return;
    const before = this.#changes.get(keys[method])?.body;
    const path = url.pathname + url.search;
    this.#changes.set(keys[method], { server, method, path, body: { ...before, ...body } });
    const [oldest] = this.#changes.keys();
    if (this.#changes.size > maxChanges && oldest !== undefined) this.#changes.delete(oldest);
  }
}

const repeat = (socket: string, { method, path, body }: Change) =>
  operate(socket, method, new URL(path, "http://admin"), body).catch(() => undefined);

function operate(socket: string, method: string, { pathname, search }: URL, body: unknown): Promise<OperationAnswer> {
  return askProcess(socket, "/internal/operate", { method, path: pathname + search, body }) as Promise<OperationAnswer>;
}
