import { spawn } from "node:child_process";
import { loadConfig } from "../config/index.ts";
import { FleetError } from "../errors.ts";
import { Sealer } from "../protocol/sealer.ts";
import { sessionKeys } from "../protocol/session-keys.ts";
import { terminalLine } from "../terminal-text.ts";
import { loginTo, sealingPurpose, TokenStore } from "../upstreams/credentials/index.ts";

/** Options of `mcp-fleet login`. */
export interface LoginCommandOptions {
  readonly config: string;
  readonly state: string;
  readonly browser: boolean;
}

/** A person may look for a password. */
const timeoutMs = 5 * 60_000;
const openers: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "open", win32: "explorer" };

/** Logs in; the gateway takes the tokens with the next call that needs them. */
export async function loginAction(name: string, { config, state, browser }: LoginCommandOptions): Promise<void> {
  const { config: loaded } = await loadConfig(config);
  const server = loaded.servers.find((one) => one.name === name);
  if (server === undefined) {
    const names = loaded.servers.map((one) => one.name).join(", ");
    throw new FleetError("SERVER_UNKNOWN", `no server is called "${name}"; there are: ${names}`);
  }
  const store = new TokenStore(
    state,
    new Sealer(sealingPurpose, await sessionKeys(loaded.gateway.session.keys, state)),
  );
  const open = (page: URL) => {
    process.stdout.write(`Open this page to let mcp-fleet use ${name}:\n${page.href}\n`);
    if (browser) spawn(openers[process.platform] ?? "xdg-open", [page.href], { stdio: "ignore" }).on("error", () => {});
  };
  const { issuer, scopes, renewable } = await loginTo(server, { store, clock: Date.now, open, timeoutMs });
  const what = scopes.length === 0 ? "" : ` for ${scopes.join(", ")}`;
  const until = renewable ? "it is renewed by itself" : "its authorization server does not renew it";
  process.stdout.write(`${name}: ${terminalLine(`${issuer} has given a token${what}`)}; ${until}\n`);
}
