import { expect, test } from "@jest/globals";
import type { Sandbox } from "../../../runtime/config/schema/index.ts";
import { issueText, validateConfig } from "../../../runtime/config/schema/index.ts";

const server = (sandbox: Sandbox | undefined, cwd?: string) => ({
  type: "custom",
  process: { command: "x", ...(cwd === undefined ? {} : { cwd }) },
  ...(sandbox === undefined ? {} : { sandbox }),
});
const issues = (servers: object) => validateConfig({ servers }).map(issueText);
const fix = "name a path outside of it, or the folder itself";

test.each<[string, object, string[]]>([
  [
    "a path within the server's own folder",
    { a: server({ write: ["/srv/notes"], read: ["/srv/notes/a/b"] }) },
    [
      `servers.a.sandbox.read[0]: is "/srv/notes/a/b", which lies within /srv/notes, where server "a" can put links; ${fix}`,
    ],
  ],
  [
    "a path within another server's, however it is written",
    { a: server({ write: ["/srv//notes/./"] }), b: server({ write: ["/srv/notes//x"] }) },
    [
      `servers.b.sandbox.write[0]: is "/srv/notes//x", which lies within /srv/notes, where server "a" can put links; ${fix}`,
    ],
  ],
  [
    "a working directory within another server's folder",
    { a: server({ write: ["/srv/notes"] }), b: server({}, "/srv/notes/work") },
    [
      `servers.b.process.cwd: is "/srv/notes/work", which lies within /srv/notes, where server "a" can put links; ${fix}`,
    ],
  ],
])("%s is refused", (_name, servers, expected) => {
  expect(issues(servers)).toEqual(expected);
});

test.each<[string, object]>([
  ["its own working directory", { a: server({ write: ["/srv/notes"] }, "/srv/notes/work") }],
  ["one folder for two", { a: server({ write: ["/srv/notes"] }), b: server({ read: ["/srv/notes"] }) }],
  ["a writable folder within one to read", { a: server({ read: ["/srv"], write: ["/srv/notes"] }) }],
  [
    "a working directory that can be seen",
    { a: server({ write: ["/srv/n"] }), b: server({ read: ["/srv"] }, "/srv/n/w") },
  ],
  ["a name that only begins alike", { a: server({ write: ["/srv/notes"], read: ["/srv/notes-2"] }) }],
  ["a server without a sandbox", { a: server({ write: ["/srv/notes"] }), b: server(undefined, "/srv/notes/work") }],
])("%s is not", (_name, servers) => {
  expect(issues(servers)).toEqual([]);
});
