/** How a client reaches a server; undefined where the file does not say. */
export type ClientTransport = "stdio" | "http" | "sse" | "ws";

/** One server as a client's file declares it, whatever the file's format calls its fields. Values are as written. */
export interface ClientServer {
  readonly name: string;
  readonly transport: ClientTransport | undefined;
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Variables that the client passes on from its own environment. */
  readonly passedOn: readonly string[];
  readonly envFile: string | undefined;
  readonly cwd: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers whose value is a variable of the client's environment: header → variable (Codex). */
  readonly headerVariables: Readonly<Record<string, HeaderVariable>>;
  readonly disabled: boolean;
  /** Milliseconds for one call. */
  readonly requestMs: number | undefined;
  /** Milliseconds to start. */
  readonly connectMs: number | undefined;
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[] | undefined;
  /** Fields that the gateway has no counterpart for. */
  readonly ignored: readonly string[];
}

/** A header that a client fills from its environment. */
export interface HeaderVariable {
  readonly variable: string;
  /** Stands before the value; undefined for none. */
  readonly scheme: string | undefined;
}

/** What a client's file declares. */
export interface ClientFile {
  readonly servers: readonly ClientServer[];
  /** Values that the client asks its user for: id → default, undefined for none. */
  readonly inputs: ReadonlyMap<string, string | undefined>;
  /** How the client writes references to variables. */
  readonly syntax: PlaceholderSyntax;
}

/**
 * `braces`: `${NAME}`, `${env:NAME}`, `${workspaceFolder}`, … (Claude Code, Cursor, VS Code, Windsurf, Cline).
 * `shell`: `$NAME` besides (Gemini CLI). `opencode`: `{env:NAME}`. `continue`: `${{ secrets.NAME }}`.
 * `none`: texts are literal (Codex, Zed, Goose).
 */
export type PlaceholderSyntax = "braces" | "shell" | "opencode" | "continue" | "none";
