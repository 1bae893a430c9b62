import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { RequestGuard } from "../../../runtime/security/request-guard.ts";

const request = (headers: IncomingMessage["headers"]) => ({ headers }) as unknown as IncomingMessage;
const guard = new RequestGuard({
  host: "127.0.0.1",
  allowedHosts: ["mcp.example.org"],
  allowedOrigins: ["https://app.example.org"],
});

test.each(["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "10.0.0.7", "MCP.example.org"])(
  "Host %s is served",
  (host) => {
    expect(guard.check(request({ host }))).toBeUndefined();
  },
);

test.each(["evil.example.com", "localhost.evil.com", "", "a b"])("Host %j is refused", (host) => {
  const text = `Forbidden: Host "${host}" is not served; add the name to gateway.allowedHosts if it is yours`;
  expect(() => guard.check(request({ host }))).toThrow(text);
  expect(() => guard.check(request({ host }))).toThrow(text);
});

test.each(["http://localhost:6274", "http://127.0.0.1", "http://[::1]:1", "https://app.example.org"])(
  "Origin %s is allowed",
  (origin) => {
    expect(guard.check(request({ host: "localhost", origin }))).toBeUndefined();
  },
);

test.each(["http://evil.example.com", "null", "http://localhost.evil.com", "http://app.example.org"])(
  "Origin %s is refused",
  (origin) => {
    const text = `Forbidden: Origin "${origin}" is not allowed; add it to gateway.allowedOrigins if it is yours`;
    expect(() => guard.check(request({ host: "localhost", origin }))).toThrow(text);
  },
);
