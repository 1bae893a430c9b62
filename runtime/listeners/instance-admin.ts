import { holdsUser } from "../config/schema/index.ts";
import { shownAddress } from "../config/shown-source.ts";
import { FleetError } from "../errors.ts";
import type { Backend } from "../registry/backend.ts";
import type { Fleet } from "../registry/fleet.ts";
import type { DatedEvent, InstanceStatus } from "../registry/fleet-instances.ts";
import type { FleetRegistry } from "../registry/fleet-registry.ts";

/** What operators see of one server's instances. */
export interface InstancesView {
  readonly server: string;
  readonly instances: readonly InstanceStatus[];
  /** The latest events, oldest first. */
  readonly events: readonly DatedEvent[];
}

/** What `POST` and `PATCH` may say. */
interface Wish {
  readonly address?: unknown;
  readonly weight?: unknown;
  readonly zone?: unknown;
  readonly drain?: unknown;
}

const path = /^\/servers\/([^/]+)\/instances$/;
/** Instances of one server that operators may register. */
const maxRegistered = 1000;
const address = /^(https?|wss?|tcp):\/\/./;

/**
 * `GET|POST|PATCH|DELETE /servers/<server>/instances[?id=<id>]` of the admin listener: lists instances, registers one
 * (`{ address, weight?, zone? }`), changes one (`{ weight?, drain? }`), takes a registered one out.
 */
export class InstanceAdmin {
  readonly #registry: FleetRegistry;

  constructor(registry: FleetRegistry) {
    this.#registry = registry;
  }

  /** Undefined for a path of somebody else. Throws SERVER_UNKNOWN, INSTANCE_UNKNOWN and INVALID_PARAMS. */
  handle(method: string, url: URL, body: unknown): InstancesView | undefined {
    const name = serverOfInstances(url);
    if (name === undefined) return undefined;
    const fleet = this.#registry.get(name);
    if (fleet === undefined) throw new FleetError("SERVER_UNKNOWN", `no server is called "${name}"`);
    const wish = (body ?? {}) as Wish;
    const id = url.searchParams.get("id");
    if (method === "POST") this.#register(fleet, wish);
    else if (method === "PATCH") this.#change(this.#find(fleet, id), wish);
    else if (method === "DELETE") this.#remove(fleet, this.#find(fleet, id));
    else if (method !== "GET") throw new FleetError("INVALID_REQUEST", `${method} is not for instances`);
    return { server: name, instances: fleet.instances.status(), events: fleet.instances.events };
  }

  #register(fleet: Fleet, { address: given, weight, zone }: Wish): void {
    const { registered } = fleet.instances;
    if (registered === undefined) {
      const fix = "change its scaling instead";
      throw invalid(`${fleet.name} runs its own processes, to which no instance can be added; ${fix}`);
    }
    if (typeof given !== "string" || !address.test(given) || !URL.canParse(given)) {
      const shown = typeof given === "string" ? shownAddress(given) : given;
      throw invalid(`"address" is ${JSON.stringify(shown)}; write it like http://10.0.0.7:8080/mcp`);
    }
    if (holdsUser(given)) {
      const fix = "remove what stands before the @, and set credentials.header of the server";
      throw invalid(`"address" is "${shownAddress(given)}" with a user or password in it, which is not sent; ${fix}`);
    }
    if (registered.size >= maxRegistered && !registered.has(given)) {
      throw invalid(`${maxRegistered} instances are registered; take one out first, or let them be discovered`);
    }
    if (zone !== undefined && typeof zone !== "string") throw invalid('"zone" must be a text');
    registered.add({ address: given, weight: weightOf(weight), zone });
  }

  #change(backend: Backend, { weight, drain }: Wish): void {
    const wanted = weightOf(weight);
    if (drain !== undefined && typeof drain !== "boolean") throw invalid('"drain" must be true or false');
    if (wanted !== undefined) backend.setWeight(wanted);
    if (drain !== undefined) backend.drain(drain);
  }

  #remove(fleet: Fleet, backend: Backend): void {
    if (fleet.instances.registered?.remove(backend.address) === true) return;
    const fix = "remove it from the configuration or from what its discovery finds, or drain it";
    throw invalid(`${backend.id} was not registered here; ${fix}`);
  }

  #find(fleet: Fleet, id: string | null): Backend {
    const backend = id === null ? undefined : fleet.instances.find(id);
    if (backend !== undefined) return backend;
    const ids = fleet.instances.status().map((instance) => instance.id);
    throw new FleetError("INSTANCE_UNKNOWN", `${fleet.name} has no instance "${id}"; there are: ${ids.join(", ")}`);
  }
}

/** The server whose instances a path of the admin listener is about; undefined for another path. */
export function serverOfInstances({ pathname }: URL): string | undefined {
  return path.exec(pathname)?.[1];
}

function weightOf(weight: unknown): number | undefined {
  if (weight === undefined) return undefined;
  if (Number.isInteger(weight) && (weight as number) >= 1 && (weight as number) <= 1000) return weight as number;
  throw invalid(`"weight" is ${JSON.stringify(weight)}; give a whole number from 1 to 1000`);
}

const invalid = (text: string) => new FleetError("INVALID_PARAMS", text);
