import { expect, test } from "@jest/globals";
import type { FleetError } from "../../../runtime/errors.ts";
import type { RpcMessage, RpcRequest } from "../../../runtime/protocol/json-rpc.ts";
import { checkHeaders, checkParamHeaders, declarationOf, isModern } from "../../../runtime/protocol/modern-request.ts";

const version = "io.modelcontextprotocol/protocolVersion";
const capabilities = "io.modelcontextprotocol/clientCapabilities";
const request = (meta: Record<string, unknown> = {}, more: Partial<RpcRequest> = {}): RpcRequest => ({
  ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
  params: { name: "echo", _meta: { [version]: "2026-07-28", [capabilities]: {}, ...meta } },
  ...more,
});
const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo" };
const failure = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    const { code, message, data } = error as FleetError;
    return { code, message, ...(data === undefined ? {} : { data }) };
  }
  return undefined;
};

const declared = (message: RpcRequest, sent: Record<string, string>) =>
  declarationOf(message, (revision) => checkHeaders(message, sent, revision));

const bare = (method: string): RpcMessage => ({ jsonrpc: "2.0", id: 1, method });

test.each<[string, RpcMessage, Record<string, string>, boolean]>([
  ["initialize with headers of the stateless era", bare("initialize"), headers, false],
  ["initialize with its envelope", request({}, { method: "initialize" }), {}, true],
  ["an envelope", request(), {}, true],
  ["a later revision in the header", bare("tools/list"), { "mcp-protocol-version": "2099-01-01" }, true],
  ["a session", bare("tools/list"), { "mcp-session-id": "x", "mcp-protocol-version": "2025-11-25" }, false],
  ["no header at all", bare("tools/list"), {}, false],
  ["server/discover", bare("server/discover"), {}, true],
  ["nonsense in the header", bare("tools/list"), { "mcp-protocol-version": "latest" }, false],
])("%s: stateless is %p", (_what, message, sent, modern) => {
  expect(isModern(message, sent)).toBe(modern);
});

test("what a request declares", () => {
  const info = { name: "client", version: "1" };
  const meta = {
    "io.modelcontextprotocol/clientInfo": info,
    "io.modelcontextprotocol/logLevel": "error",
    [capabilities]: { roots: {} },
  };
  expect(declared(request(meta), headers)).toEqual({
    ...{ capabilities: { roots: {} }, clientInfo: info, logLevel: "error" },
  });
});

test.each([
  ["no revision", request({ [version]: undefined }), headers, "ENVELOPE_INVALID", "must be a string"],
  ["no capabilities", request({ [capabilities]: undefined }), headers, "ENVELOPE_INVALID", "must be an object"],
  ["no header", request(), {}, "HEADER_MISMATCH", "MCP-Protocol-Version is missing"],
  ["another method", request(), { ...headers, "mcp-method": "ping" }, "HEADER_MISMATCH", 'Mcp-Method says "ping"'],
  ["another name", request(), { ...headers, "mcp-name": "Echo" }, "HEADER_MISMATCH", 'Mcp-Name says "Echo"'],
])("%s is refused", (_what, message, sent, code, text) => {
  expect(failure(() => declared(message, sent))).toMatchObject({ code, message: expect.stringContaining(text) });
});

test("an unknown revision is told which ones there are", () => {
  const sent = { ...headers, "mcp-protocol-version": "2099-01-01" };
  expect(failure(() => declared(request({ [version]: "2099-01-01" }), sent))).toEqual({
    code: "REVISION_UNKNOWN",
    message: "Unsupported protocol version: 2099-01-01",
    data: { supported: ["2026-07-28"], requested: "2099-01-01" },
  });
});

test("headers that repeat arguments must repeat them rightly; numbers are compared as numbers", () => {
  const properties = {
    region: { type: "string", "x-mcp-header": "Region" },
    limit: { type: "integer", "x-mcp-header": "Limit" },
  };
  const check = (args: object, sent: Record<string, string>) =>
    failure(() => checkParamHeaders({ inputSchema: { properties } }, { arguments: args }, sent))?.message;
  expect(check({ region: "eu", limit: 10 }, { "mcp-param-region": "eu", "mcp-param-limit": "10.0" })).toBeUndefined();
  expect(check({}, {})).toBeUndefined();
  expect(check({ region: "eu" }, {})).toBe('Header mismatch: mcp-param-region is missing, the body "eu"');
  expect(check({}, { "mcp-param-region": "eu" })).toBe(
    'Header mismatch: mcp-param-region says "eu", the body "undefined"',
  );
  expect(check({ limit: 10 }, { "mcp-param-limit": "11" })).toBe(
    'Header mismatch: mcp-param-limit says "11", the body "10"',
  );
});
