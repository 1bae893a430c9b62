import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { FleetError } from "../errors.ts";
import { bareHost } from "../host-name.ts";

export interface RequestGuardOptions {
  /** Address that the gateway listens on. */
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

/** Header values that were accepted before; more different ones than this are checked each time, and longer ones. */
const rememberedValues = 1000;
const maxRememberedLength = 256;
/** `uri-host [ ":" port ]` (RFC 9110, section 7.2): no user, no path. */
const hostField = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{0,5})?$/i;
/** A serialized origin (RFC 6454, section 6.1). */
const originField = /^[a-z][a-z\d+.-]*:\/\/(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;

/**
 * Refuses requests that a web page makes through DNS rebinding (basic/transports, security warning): the `Host` must be
 * a loopback name, an IP address (rebinding needs a name), or a configured one; an `Origin` must be loopback or
 * configured. Programs that are no browsers send no `Origin`.
 */
export class RequestGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #acceptedHosts = new Set<string>();
  readonly #acceptedOrigins = new Set<string>();

  constructor({ host, allowedHosts, allowedOrigins }: RequestGuardOptions) {
    this.#hosts = new Set(["localhost", host, ...allowedHosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  }

  /** Throws HOST_REFUSED or ORIGIN_REFUSED. */
  check(request: IncomingMessage): void {
    this.checkHost(request);
    const { origin } = request.headers;
    if (origin !== undefined && !this.#knowsOrigin(origin)) {
      const fix = "add it to gateway.allowedOrigins if it is yours";
      throw new FleetError("ORIGIN_REFUSED", `Forbidden: Origin "${origin}" is not allowed; ${fix}`);
    }
  }

  /** Throws HOST_REFUSED. */
  checkHost(request: IncomingMessage): void {
    const { host } = request.headers;
    if (host === undefined || !this.#knowsHost(host)) {
      const fix = "add the name to gateway.allowedHosts if it is yours";
      throw new FleetError("HOST_REFUSED", `Forbidden: Host "${host ?? ""}" is not served; ${fix}`);
    }
  }

  // Most requests come with a value that was accepted before: they cost one look.
  #knowsHost(host: string): boolean {
    return this.#acceptedHosts.has(host) || (this.#acceptsHost(host) && remember(this.#acceptedHosts, host));
  }

  #knowsOrigin(origin: string): boolean {
    return (
      this.#acceptedOrigins.has(origin) || (this.#acceptsOrigin(origin) && remember(this.#acceptedOrigins, origin))
    );
  }

  #acceptsHost(header: string): boolean {
    const name = hostField.test(header) ? hostname(`http://${header}`) : undefined;
    return name !== undefined && (isIP(bareHost(name)) !== 0 || this.#hosts.has(name));
  }

  #acceptsOrigin(origin: string): boolean {
    if (this.#origins.has(origin.toLowerCase())) return true;
    const name = originField.test(origin) ? hostname(origin) : undefined;
    return name === "localhost" || name === "127.0.0.1" || name === "[::1]";
  }
}

/** True in any case. */
function remember(accepted: Set<string>, value: string): true {
  if (accepted.size < rememberedValues && value.length <= maxRememberedLength) accepted.add(value);
  return true;
}

function hostname(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.toLowerCase() : undefined;
}
