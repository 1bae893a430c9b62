import type * as pulumi from "@pulumi/pulumi";
import type { RateLimitArgs } from "../security-args.ts";

/** Bounds on the calls of one server; its own count those of all callers. */
export interface FleetRateLimitingArgs {
  /** Length of the window. Defaults to 60000. */
  windowMs?: pulumi.Input<number>;
  /** Calls in a window. Defaults to no bound. */
  maxRequests?: pulumi.Input<number>;
  /** Makes a token bucket of it: so many at once, refilled at maxRequests per windowMs. Defaults to none. */
  burst?: pulumi.Input<number>;
  /** Calls in flight in this process. Defaults to no bound. */
  concurrency?: pulumi.Input<number>;
  /** The calls of one caller to this server. */
  perCaller?: RateLimitArgs;
  /** The calls of all callers to a tool, by its name. */
  tools?: pulumi.Input<Record<string, pulumi.Input<RateLimitArgs>>>;
}

/** TLS towards a server that something else runs: whom the gateway believes, and who it says it is. */
export interface FleetTlsArgs {
  /** PEM file with the authorities of the server's certificate, in place of the system's. A changed file is taken over without a restart, here and below. In containers a file of the gateway's secrets: `/run/secrets/mcp-fleet/NAME`. */
  caFile?: pulumi.Input<string>;
  /** PEM file with the gateway's client certificate and its chain (mTLS). Defaults to none. */
  certFile?: pulumi.Input<string>;
  /** PEM file with its private key. */
  keyFile?: pulumi.Input<string>;
  /** Name in the server's certificate, also sent to it (SNI). Defaults to the host of the address; needed where instances are found by address. */
  serverName?: pulumi.Input<string>;
}

/** What one instance of a server may use: its process and everything that this starts. */
export interface FleetLimitsArgs {
  /** Memory of all its processes. An instance over it is ended and restarted. Defaults to no bound. */
  memoryMiB?: pulumi.Input<number>;
  /** Processes; the same happens. Defaults to no bound. */
  processes?: pulumi.Input<number>;
  /** CPU time since its start, with that of processes that have ended; the same happens. Defaults to no bound. */
  cpuSeconds?: pulumi.Input<number>;
  /** Its temporary folder; in a sandbox that is in memory and full at this size, elsewhere the instance is ended. Defaults to 1024 in a sandbox, to no bound elsewhere. */
  diskMiB?: pulumi.Input<number>;
  /** Open files of each process; needs `prlimit` of util-linux where it runs. Defaults to the gateway's own. */
  openFiles?: pulumi.Input<number>;
}

/** What a server may see and reach: besides the system's own programs only what is named here, its command, its `cwd` and a temporary folder. */
export interface FleetSandboxArgs {
  /** It may reach everything that the gateway's machine can. Defaults to false. */
  network?: pulumi.Input<boolean>;
  /** Absolute paths of files and folders that it may read. Defaults to none. */
  read?: pulumi.Input<pulumi.Input<string>[]>;
  /** The same, to read and write. Defaults to none. */
  write?: pulumi.Input<pulumi.Input<string>[]>;
}

/** What a server's tools may look like, and whether they may change. */
export interface FleetIntegrityArgs {
  /** A tool that is not as it was first seen: `warn` logs and counts it, `block` takes it out until it is approved; `approve` wants that for each tool before it is shown at all. Defaults to `off`. */
  mode?: pulumi.Input<string>;
  /** Tool → `sha256:<64 hex digits>` of its definition; stands above what was first seen. */
  pins?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Longer descriptions take a tool out. Defaults to 16384. */
  maxDescriptionChars?: pulumi.Input<number>;
}
