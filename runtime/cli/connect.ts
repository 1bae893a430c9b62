import { Command } from "commander";
import { FleetError, messageOf } from "../errors.ts";
import { openWebSocket } from "../upstreams/web-socket-link.ts";
import { tokenOption, urlOption } from "./gateway-url.ts";
import { StdioForwarder, webSocketUrl } from "./stdio-forwarder.ts";

const connectMs = 10_000;
const retryMs = 500;

/** `mcp-fleet connect`: a running gateway as an MCP server on standard streams. */
export function connectCommand(): Command {
  return new Command("connect")
    .description("Be an MCP server on standard streams that forwards to a running gateway.")
    .addOption(urlOption())
    .addOption(tokenOption())
    .action(async ({ url, token }: { readonly url: string; readonly token?: string }) => {
      const target = webSocketUrl(url);
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const forwarder = new StdioForwarder({
        ...{ input: process.stdin, output: process.stdout, retryMs },
        open: (receive) => openWebSocket(target, connectMs, receive, headers),
      });
      await forwarder.run().catch((error) => {
        const fix = "start it with `npm start` or `mcp-fleet serve`, or give its address with --url";
        const text = `--url: no gateway answers at ${target.href} (${messageOf(error)}); ${fix}`;
        throw new FleetError("GATEWAY_UNREACHABLE", text, { cause: error });
      });
    });
}
