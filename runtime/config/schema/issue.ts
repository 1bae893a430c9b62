/** Where something stands in a configuration: keys and indices from the top. */
export type ConfigPath = readonly (string | number)[];

/** One mistake in a configuration. */
export interface ConfigIssue {
  readonly path: ConfigPath;
  /** What is wrong, with the value; never a secret. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}

/** `servers.context7.scaling.minInstances`, `gateway.auth.bearerTokens[0]`. */
export function pathText(path: ConfigPath): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** One line: path, problem, fix. */
export function issueText({ path, message, fix }: ConfigIssue): string {
  const where = pathText(path);
  return `${where === "" ? "" : `${where}: `}${message}; ${fix}`;
}
