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

/** Asks the gateway's REST interface. Rejects with GATEWAY_UNREACHABLE, or with the gateway's own message. */
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
  if (!URL.canParse(path, url)) {
    const fix = "write it like http://127.0.0.1:8080";
    throw new FleetError("GATEWAY_UNREACHABLE", `--url: ${shownAddress(url)} is no address; ${fix}`);
  }
  const response = await request(new URL(path, url), { headers, ...sent }).catch((error) => {
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
