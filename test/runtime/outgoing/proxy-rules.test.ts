import { expect, test } from "@jest/globals";
import { proxyFor } from "../../../runtime/outgoing/proxy-rules.ts";

const corp = { HTTP_PROXY: "http://plain.corp:3128", HTTPS_PROXY: "http://secure.corp:3128" };
const chosen = (url: string, variables: Record<string, string>) => proxyFor(new URL(url), variables)?.host;

test.each([
  ["http://mcp.example/mcp", "plain.corp:3128"],
  ["ws://mcp.example/ws", "plain.corp:3128"],
  ["https://mcp.example/mcp", "secure.corp:3128"],
  ["wss://mcp.example/ws", "secure.corp:3128"],
])("%s goes through %s", (url, proxy) => {
  expect(chosen(url, corp)).toBe(proxy);
});

test.each(["localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])(
  "%s is reached without a proxy",
  (host) => {
    expect(chosen(`http://${host}:8080/mcp`, corp)).toBeUndefined();
  },
);

test.each([
  ["*", "https://mcp.example", false],
  ["example", "https://mcp.example", false],
  ["mcp.example", "https://mcp.example", false],
  [".example", "https://mcp.example", false],
  ["*.example", "https://mcp.example", false],
  ["MCP.Example", "https://mcp.example", false],
  ["other.example, mcp.example", "https://mcp.example", false],
  ["other.example mcp.example", "https://mcp.example", false],
  ["mcp.example:443", "https://mcp.example", false],
  ["mcp.example:8443", "https://mcp.example", true],
  ["cp.example", "https://mcp.example", true],
  ["10.0.0.0/8", "https://10.1.2.3", false],
  ["10.0.0.0/8", "https://11.1.2.3", true],
  ["10.0.0.0/40", "https://10.1.2.3", true],
  ["10.1.2.3", "https://10.1.2.3", false],
  ["2.3", "https://10.1.2.3", true],
  ["fd00::/8", "https://[fd00::1]", false],
  ["[fd00::1]:443", "https://[fd00::1]", false],
  ["", "https://mcp.example", true],
])("NO_PROXY=%s: %s goes through the proxy: %s", (none, url, through) => {
  expect(chosen(url, { ...corp, NO_PROXY: none })).toBe(through ? "secure.corp:3128" : undefined);
});

test("the lower-case variable of a pair counts, and a scheme can be left out", () => {
  expect(chosen("http://mcp.example", { ...corp, http_proxy: "lower.corp:8080" })).toBe("lower.corp:8080");
  expect(chosen("https://mcp.example", { HTTP_PROXY: "http://plain.corp" })).toBeUndefined();
});

test.each(["socks5://user:secret@proxy.corp:1080", "http://", "://secret"])(
  "a value that is no HTTP proxy is named without what it says: %s",
  (value) => {
    expect(() => proxyFor(new URL("https://mcp.example"), { HTTPS_PROXY: value })).toThrow(
      "HTTPS_PROXY: is no URL of an HTTP proxy; give it as http://host:port or https://host:port, with user:password@ where the proxy wants them",
    );
  },
);
