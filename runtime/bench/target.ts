/** What is measured: an MCP endpoint over Streamable HTTP, and the processes behind it. */
export interface Target {
  /** In the report. */
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** CPU and memory are those of these processes and their descendants; none are measured when empty. */
  readonly pids: readonly number[];
}

/** A tool call whose answer can be checked. */
export interface CallSpec {
  /** JSON of `params`, with `{text}` where the text of the call goes: no two calls are alike. */
  readonly params: string;
  /** The answer must contain that text. */
  readonly echoes: boolean;
  /** The answer has at least so many bytes. Defaults to 0. */
  readonly minBytes?: number;
  /** The answer is an event stream with exactly so many progress notifications. Defaults to none being asked for. */
  readonly events?: number;
}
