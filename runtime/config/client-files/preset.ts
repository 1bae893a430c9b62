import { isExactVersion, ServerType } from "../schema/index.ts";
import type { ClientServer } from "./client-server.ts";

/** npm packages that a preset stands for. */
const presetPackages: readonly (readonly [string, ServerType])[] = [
  ["@upstash/context7-mcp", ServerType.Context7],
  ["@modelcontextprotocol/server-sequential-thinking", ServerType.Sequential],
  ["@21st-dev/magic", ServerType.Magic],
  ["@playwright/mcp", ServerType.Playwright],
];

/** Only an entry without options of its own is the same as the preset; a tag or a range but `latest` is an option. */
export function presetOf({ command, args, env, envFile, passedOn }: ClientServer): Record<string, unknown> | undefined {
  const words = args.filter((word) => word !== "-y" && word !== "--yes");
  const alone = words.length === 1 && Object.keys(env).length === 0 && envFile === undefined && passedOn.length === 0;
  if (!alone || !/(^|[\\/])(npx|bunx)(\.cmd)?$/.test(command ?? "")) return undefined;
  for (const [packageName, type] of presetPackages) {
    const version = words[0] === packageName ? "latest" : after(words[0] as string, `${packageName}@`);
    if (version === "latest") return { type };
    if (version !== undefined && isExactVersion(version)) return { type, version };
  }
  return undefined;
}

function after(text: string, start: string): string | undefined {
  return text.startsWith(start) ? text.slice(start.length) : undefined;
}
