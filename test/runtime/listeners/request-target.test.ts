import { expect, test } from "@jest/globals";
import { RequestTargets } from "../../../runtime/listeners/request-target.ts";

const targets = new RequestTargets();
const read = (text: string) => {
  const { path, room, server, url, authority } = targets.read(text);
  return [room, server, path, url, authority];
};

test.each([
  ["/mcp", ["mcp", undefined, "/mcp", "/mcp", undefined]],
  ["/mcp/notes", ["mcp", "notes", "/mcp/notes", "/mcp/notes", undefined]],
  ["/mcp/", ["mcp", undefined, "/mcp", "/mcp", undefined]],
  ["/mcp/notes/", ["mcp", "notes", "/mcp/notes", "/mcp/notes", undefined]],
  ["/mcp/notes/?a=%2F", ["mcp", "notes", "/mcp/notes", "/mcp/notes?a=%2F", undefined]],
  ["/%6detrics", ["metrics", undefined, "/metrics", "/metrics", undefined]],
  ["/%6Det%72ics?x", ["metrics", undefined, "/metrics", "/metrics?x", undefined]],
  ["/dashboard/d%61ta", ["dashboard", "data", "/dashboard/data", "/dashboard/data", undefined]],
  ["http://x:1/metrics", ["metrics", undefined, "/metrics", "/metrics", "x:1"]],
  ["HTTPS://x/%6detrics?a", ["metrics", undefined, "/metrics", "/metrics?a", "x"]],
  ["http://x", ["", undefined, "/", "/", "x"]],
  ["http://x?a", ["", undefined, "/", "/?a", "x"]],
  ["/", ["", undefined, "/", "/", undefined]],
  ["/metrics/", ["metrics", "", "/metrics/", "/metrics/", undefined]],
  ["/METRICS", ["METRICS", undefined, "/METRICS", "/METRICS", undefined]],
  [
    "/api/v1/servers/notes/tools/a%2fb%20%c3%a9",
    [
      "api",
      "v1/servers/notes/tools/a%2Fb%20%C3%A9",
      "/api/v1/servers/notes/tools/a%2Fb%20%C3%A9",
      "/api/v1/servers/notes/tools/a%2Fb%20%C3%A9",
      undefined,
    ],
  ],
])("%s has one reading", (text, reading) => {
  expect(read(text)).toEqual(reading);
  // The second time it may be remembered; and what it was read as is read as itself.
  expect(read(text)).toEqual(reading);
  expect(read(reading[3] as string).slice(0, 4)).toEqual(reading.slice(0, 4));
});

test.each([
  ["*", "send a path, or a URL that begins with http:// or https://"],
  ["localhost:80", "send a path, or a URL that begins with http:// or https://"],
  ["ftp://x/metrics", "send a path, or a URL that begins with http:// or https://"],
  ["//metrics", "the path holds an empty segment"],
  ["/mcp//notes", "the path holds an empty segment"],
  ["/mcp//", "the path holds an empty segment"],
  ["http://x//metrics", "the path holds an empty segment"],
  ["/./metrics", 'the path holds a segment "." or ".."'],
  ["/health/../metrics", 'the path holds a segment "." or ".."'],
  ["/health/%2e%2E/metrics", 'the path holds a segment "." or ".."'],
  ["/metrics/..", 'the path holds a segment "." or ".."'],
  ["/%256detrics", "the path holds an escape that is not needed"],
  ["/%2fmetrics", "the path holds an escape that is not needed"],
  ["/mcp%2fnotes", "the path holds an escape that is not needed"],
  ["/mcp/n%c3%b6tes", "the path holds an escape that is not needed"],
  ["/api/v1/servers/a%2Fb", "the path holds an escape that is not needed"],
  ["/metrics%3b", "the path holds an escape that is not needed"],
  ["/metrics%00", "the path holds an escaped control character"],
  ["/metrics%0d%0a", "the path holds an escaped control character"],
  ["/metrics%", 'the path holds a "%" without two hexadecimal digits'],
  ["/metrics%6", 'the path holds a "%" without two hexadecimal digits'],
  ["/metrics%zz", 'the path holds a "%" without two hexadecimal digits'],
  ["/metrics;a=b", "the path holds a character that must be escaped"],
  ["/metrics\\", "the path holds a character that must be escaped"],
  ["\\metrics", "send a path, or a URL that begins with http:// or https://"],
  ["/metrics#x", "the path holds a character that must be escaped"],
  ["/metrics?x#y", 'the query holds a character that must be escaped, or "#"'],
  ["/mètrics", "the path holds a character that must be escaped"],
  ["http://x#y", "the path holds a character that must be escaped"],
])("%s is refused", (text, problem) => {
  expect(() => targets.read(text)).toThrow(`Bad request target: ${problem}`);
});
