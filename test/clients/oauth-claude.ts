import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { expiry, opens, remembering } from "./oauth-programs.ts";

/** What Claude Code says of a server after one login, and again after the access token has expired. */
export const claudeCode = (url: string, transport: "http" | "sse", expires = false): Promise<readonly string[]> =>
  remembering(async (folder, env) => {
    const run = async (...args: string[]) => {
      const claude = process.env.CLAUDE_CODE as string;
      // A login wants a terminal.
      const [command, ...rest] =
        args[0] === "login"
          ? ["script", "--quiet", "--flush", "--command", [claude, "mcp", ...args].join(" "), "/dev/null"]
          : [claude, "mcp", ...args];
      const child = spawn(command as string, rest, {
        cwd: folder,
        env: { ...env, CLAUDE_CONFIG_DIR: folder, DISABLE_AUTOUPDATER: "1" },
        stdio: ["pipe", "pipe", "pipe"],
      });
      opens(child.stdout);
      opens(child.stderr);
      return (await Promise.all([text(child.stdout), text(child.stderr)])).join("");
    };
    const state = async () => /^it: .* - \S+ (.*)$/m.exec(await run("list"))?.[1] ?? "not listed";
    await run("add", "--transport", transport, "it", url);
    const seen = [await state(), /Authenticated/.exec(await run("login", "it"))?.[0] ?? "not logged in", await state()];
    if (!expires) return seen;
    await expiry();
    return [...seen, await state()];
  });
