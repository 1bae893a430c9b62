import type { Params } from "../protocol/json-rpc.ts";

/** Hears of a changed resource: the parameters of `notifications/resources/updated`. */
export type ResourceListener = (params: Params) => void;

/** Who wants to hear of which resource of one fleet (server/resources, "Subscriptions"). */
export class ResourceSubscriptions {
  readonly #byUri = new Map<string, Map<string, ResourceListener>>();

  add(uri: string, owner: string, listener: ResourceListener): void {
    const listeners = this.#byUri.get(uri) ?? new Map<string, ResourceListener>();
    this.#byUri.set(uri, listeners.set(owner, listener));
  }

  /** Does anybody else still want to hear of it? */
  remove(uri: string, owner: string): boolean {
    const listeners = this.#byUri.get(uri);
    listeners?.delete(owner);
    if (listeners?.size === 0) this.#byUri.delete(uri);
    return this.#byUri.has(uri);
  }

  /** The resources that an owner hears of. */
  of(owner: string): readonly string[] {
    return [...this.#byUri].flatMap(([uri, listeners]) => (listeners.has(owner) ? [uri] : []));
  }

  /** Each resource with one of those who want to hear of it. */
  all(): readonly { readonly uri: string; readonly owner: string }[] {
    return [...this.#byUri].map(([uri, listeners]) => ({ uri, owner: listeners.keys().next().value as string }));
  }

  /** Tells those who asked for the resource, or for one that it is part of; only `owner` if that is given. */
  updated(params: Params, owner: string | undefined): void {
    const updated = String(params.uri);
    for (const [uri, listeners] of this.#byUri) {
      if (updated !== uri && !updated.startsWith(uri.endsWith("/") ? uri : `${uri}/`)) continue;
      for (const [name, listener] of listeners) if (owner === undefined || owner === name) listener(params);
    }
  }
}
