import { FleetError } from "../../errors.ts";
import { type Credentials, headerLine, type Refusal } from "./credentials.ts";

/** `credentials.header` of a configuration, references resolved. */
export interface HeaderSettings {
  readonly name?: string;
  readonly scheme?: string;
  readonly value: string;
}

/** `credentials.callers` of a configuration, references resolved. */
export interface CallersSettings {
  readonly name?: string;
  readonly scheme?: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly gateway?: string;
}

/** Secrets of the configuration, sent as they are: one for everybody, or one for each caller. */
export class StaticCredentials implements Credentials {
  readonly perCaller: boolean;
  readonly #server: string;
  readonly #own: string;
  readonly #callers: ReadonlyMap<string, string>;

  private constructor(server: string, own: string, callers: ReadonlyMap<string, string> | undefined) {
    this.#server = server;
    this.#own = own;
    this.perCaller = callers !== undefined;
    this.#callers = callers ?? new Map();
  }

  /** The same for everybody. */
  static header(server: string, { name, scheme, value }: HeaderSettings): StaticCredentials {
    return new StaticCredentials(server, lineOf(name, scheme, value), undefined);
  }

  /** By caller. Who is not in the list is refused: another's secret is no substitute. */
  static callers(server: string, { name, scheme, secrets, gateway }: CallersSettings): StaticCredentials {
    const lines = Object.entries(secrets).map(([caller, value]) => [caller, lineOf(name, scheme, value)] as const);
    return new StaticCredentials(server, gateway === undefined ? "" : lineOf(name, scheme, gateway), new Map(lines));
  }

  linesFor(_url: URL, caller: string | undefined): string {
    if (!this.perCaller || caller === undefined) return this.#own;
    const lines = this.#callers.get(caller);
    if (lines !== undefined) return lines;
    const fix = `add it to servers.${this.#server}.credentials.callers.secrets`;
    throw new FleetError("UPSTREAM_CREDENTIALS", `${this.#server}: caller "${caller}" has no credentials here; ${fix}`);
  }

  async refused(url: URL, caller: string | undefined, { status }: Refusal): Promise<void> {
    const whose = this.perCaller && caller !== undefined ? `the credentials of caller "${caller}"` : "the credentials";
    const fix = `check servers.${this.#server}.credentials, and what the server wants`;
    const text = `${this.#server}: ${url.origin} refused ${whose} with HTTP ${status}; ${fix}`;
    throw new FleetError("UPSTREAM_CREDENTIALS", text);
  }
}

function lineOf(name = "authorization", scheme: string | undefined, value: string): string {
  return headerLine(name, scheme === undefined ? value : `${scheme} ${value}`);
}
