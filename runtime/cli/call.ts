import { Command, InvalidArgumentError } from "commander";
import { parseJson } from "../protocol/exact-json.ts";
import { isObject } from "../protocol/exact-number.ts";
import { terminalJson } from "../terminal-text.ts";
import { askGateway, tokenOption, urlOption } from "./gateway-url.ts";

interface CallOptions {
  readonly url: string;
  readonly token?: string;
  readonly params?: Record<string, unknown>;
}

/** `mcp-fleet call`: one request to one server through a running gateway. */
export function callCommand(): Command {
  return new Command("call")
    .description("Send one request: an MCP method, a tool's name, or an alias of one.")
    .argument("<server>", "name of the server")
    .argument("<method>", "such as tools/list, resolve-library-id, sequentialthinking")
    .option("--params <json>", "parameters, or the tool's arguments, as a JSON object", jsonObject)
    .addOption(urlOption())
    .addOption(tokenOption())
    .action(async (server: string, method: string, { url, token, params }: CallOptions) => {
      const path = `/api/v1/servers/${encodeURIComponent(server)}/requests`;
      const answer = (await askGateway(url, path, { token, body: { method, ...(params && { params }) } })) as {
        result: unknown;
      };
      process.stdout.write(`${terminalJson(answer.result, 2)}\n`);
    });
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = parseJson(text);
    if (isObject(value)) return value;
  } catch {
    // Told below, like any other text that is no object.
  }
  throw new InvalidArgumentError(`"${text}" is no JSON object; give one such as '{"libraryName":"react"}'.`);
}
