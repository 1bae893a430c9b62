import { Option } from "commander";
import { shownAddress } from "../config/shown-source.ts";
import { FleetError, messageOf } from "../errors.ts";
import { parseJson } from "../protocol/exact-json.ts";

/** `--url` of the commands that ask a running gateway. */
export const urlOption = () =>
  new Option("--url <url>", "the gateway").default("http://127.0.0.1:8080").env("MCP_FLEET_URL");

/** `--token` of the commands that ask a running gateway. */
export const tokenOption = () =>
  new Option(
    "--token <token>",
    "bearer token, if the gateway asks for one; the variable keeps it out of the list of processes",
  ).env("MCP_FLEET_TOKEN");

/** How to write `--url`. */
export const urlFix = "give the gateway's address, such as http://127.0.0.1:8080 or http://127.0.0.1:8080/mcp/context7";

/** What `--url` says. Throws CONFIG_INVALID. */
export function gatewayUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (error) {
    throw new FleetError("CONFIG_INVALID", `--url: "${text}" is no URL (${messageOf(error)}); ${urlFix}`);
  }
}

/** Asks the gateway's REST interface. Rejects with CONFIG_INVALID, GATEWAY_UNREACHABLE, or with the gateway's own message. */
export async function askGateway(
  url: string,
  path: string,
  options: { readonly token?: string | undefined; readonly body?: unknown } = {},
): Promise<unknown> {
  const { token, body } = options;
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const sent = body === undefined ? {} : { method: "POST" as const, body: JSON.stringify(body) };
  const { request } = await import("../http-client.ts");
  const response = await request(new URL(path, gatewayUrl(url)), { headers, ...sent }).catch((error) => {
    const fix = "start it with `npm start` or `mcp-fleet serve`, or give its address with --url";
    throw new FleetError(
      "GATEWAY_UNREACHABLE",
      `--url: no gateway answers at ${shownAddress(url)} (${messageOf(error)}); ${fix}`,
      {
        cause: error,
      },
    );
  });
  const answer = (await response.body
    .text()
    .then(parseJson)
    .catch(() => undefined)) as { error?: { message: string } } | undefined;
  if (answer === undefined) {
    const text = `--url: what answers at ${shownAddress(url)} is no gateway (HTTP ${response.statusCode}, no JSON)`;
    throw new FleetError("GATEWAY_UNREACHABLE", `${text}; give the gateway's address`);
  }
  if (response.statusCode < 400) return answer;
  throw new FleetError(
    "GATEWAY_UNREACHABLE",
    `${shownAddress(url)}: ${answer.error?.message ?? `HTTP ${response.statusCode}`}`,
  );
}
