import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Logger } from "pino";
import type { UpstreamTls as Settings } from "../config/schema/index.ts";
import { FleetError, messageOf } from "../errors.ts";
import { type Connect, throughProxy } from "../outgoing/proxied-connector.ts";
import { FetchPool } from "./fetch-pool.ts";

/** What a TLS connection to a server takes, besides its address. */
export interface TlsConnectionOptions {
  readonly secureContext: SecureContext;
  readonly servername?: string;
}

/** Like the global one. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface UpstreamTlsOptions {
  readonly server: string;
  readonly tls: Settings;
  /** Defaults to nowhere. */
  readonly log?: Logger;
}

const fileKeys = ["caFile", "certFile", "keyFile"] as const;

/**
 * Authorities and client certificate of the connections to one server. Files are looked at again with each new connection,
 * which is cheap beside a handshake: a renewed certificate is in force without a restart, as connections are replaced.
 */
export class UpstreamTls {
  readonly #server: string;
  readonly #settings: Settings;
  readonly #log: Logger | undefined;
  #seen = "";
  #context: SecureContext | undefined;
  #ends: number | undefined;
  readonly #connections = new FetchPool(() => this.connector(connectMs));

  constructor({ server, tls, log }: UpstreamTlsOptions) {
    this.#server = server;
    this.#settings = tls;
    this.#log = log;
  }

  /** For one new connection: the files as they are now, or the last ones that could be used. Throws CONFIG_INVALID when none ever could. */
  options(): TlsConnectionOptions {
    const { serverName } = this.#settings;
    return { secureContext: this.#current(), ...(serverName === undefined ? {} : { servername: serverName }) };
  }

  /** When the client certificate that is in force ends, in seconds since the epoch; undefined without one. */
  get expiry(): number | undefined {
    try {
      this.#current();
    } catch {
      // What is wrong with it is said where it is used.
    }
    return this.#ends;
  }

  /** The global `fetch` with such connections. */
  readonly fetch: Fetch = async (url, init) => {
    this.#current();
    return this.#connections.fetch(url, init);
  };

  /** Gives up the connections of `fetch`: requests that come now get new ones. */
  renew(): void {
    this.#connections.renew();
  }

  /** What undici calls for each new connection of an agent. */
  async connector(timeoutMs: number) {
    const { buildConnector } = await import("../http-client.ts");
    const connect: Connect = (target, callback) => {
      let options: TlsConnectionOptions;
      try {
        options = this.options();
      } catch (error) {
        callback(error as Error, null);
        return;
      }
      const { servername = target.servername ?? nameOf(target.hostname) } = options;
      buildConnector({ timeout: timeoutMs, secureContext: options.secureContext })({ ...target, servername }, callback);
    };
    return throughProxy(connect, timeoutMs);
  }

  #current(): SecureContext {
    const seen = this.#signature();
    if (this.#context !== undefined && seen === this.#seen) return this.#context;
    try {
      const [ca, cert, key] = fileKeys.map((name) => this.#read(name));
      const next = createSecureContext({ ca, cert, key, minVersion: "TLSv1.2" });
      if (this.#context !== undefined) this.#log?.info("TLS: the new files are in force for this server");
      this.#context = next;
      this.#ends = cert && Date.parse(new X509Certificate(cert).validTo) / 1000;
    } catch (error) {
      if (this.#context === undefined) throw this.#unfit(error);
      this.#log?.error({ err: error }, "TLS: the new files cannot be used; those in force for this server stay");
    }
    this.#seen = seen;
    return this.#context;
  }

  /** Which files these are, as far as the file system tells. */
  #signature(): string {
    return fileKeys
      .map((name) => {
        const file = this.#settings[name];
        const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
        return found === undefined ? "" : `${found.ino} ${found.mtimeMs} ${found.size}`;
      })
      .join();
  }

  #read(name: (typeof fileKeys)[number]): Buffer | undefined {
    const file = this.#settings[name];
    if (file === undefined) return undefined;
    try {
      return readFileSync(file);
    } catch (error) {
      const text = `servers.${this.#server}.tls.${name}: ${file} cannot be read (${messageOf(error)}); correct the path`;
      throw new FleetError("CONFIG_INVALID", text, { cause: error });
    }
  }

  #unfit(error: unknown): FleetError {
    if (error instanceof FleetError) return error;
    const text = `servers.${this.#server}.tls: ${messageOf(error)}; give a certificate and its own key in PEM`;
    return new FleetError("CONFIG_INVALID", text, { cause: error });
  }
}

/** For checks and batches, which have deadlines of their own besides. */
const connectMs = 10_000;

/** The name for SNI, which an address is not (RFC 6066, section 3). */
export function nameOf(host: string): string {
  return isIP(host) === 0 ? host : "";
}
