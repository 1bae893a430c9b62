import type { SuiteLine } from "../support/conformance.ts";

/** Scenarios of the official suite that are not run, and why; the same table is in docs/protocol.md. */
export interface LeftOut {
  readonly lines: readonly SuiteLine[];
  readonly scenarios: readonly string[];
  readonly why: string;
}

const newest: readonly SuiteLine[] = ["newest"];
const stable: readonly SuiteLine[] = ["stable"];
const both: readonly SuiteLine[] = ["newest", "stable"];

/** Of the scenarios that test a client: the gateway towards its servers. */
export const clientsLeftOut: readonly LeftOut[] = [
  {
    lines: both,
    scenarios: ["auth/2025-03-26-oauth-endpoint-fallback"],
    why: "an authorization server without metadata cannot say that it knows PKCE; since 2025-11-25 clients must then refuse",
  },
  {
    lines: stable,
    scenarios: ["auth/2025-03-26-oauth-metadata-backcompat"],
    why: "its metadata does not name PKCE, for which clients must refuse; the newer line's names it, and passes",
  },
  {
    lines: newest,
    scenarios: ["auth/enterprise-managed-authorization"],
    why: "wants a caller's identity token sent on; the gateway never forwards what a caller came with (basic/security, Token Passthrough)",
  },
  {
    lines: stable,
    scenarios: ["auth/cross-app-access-complete-flow"],
    why: "the earlier name of auth/enterprise-managed-authorization",
  },
  {
    lines: newest,
    scenarios: ["auth/dpop", "auth/dpop-nonce"],
    why: "extension; the gateway sends bearer tokens, and binds connections to servers by client certificates instead",
  },
  {
    lines: newest,
    scenarios: [
      "sep-2640-client-no-prefetch",
      "sep-2640-client-verify-digest",
      "sep-2640-client-verify-size",
      "sep-2640-client-verify-frontmatter",
    ],
    why: "extension; the duties of a host that uses skills, whose resources the gateway only passes on",
  },
];

/** Of the scenarios that test a server: the gateway towards its callers, with a fixture behind it. */
export const serversLeftOut: readonly LeftOut[] = [
  {
    lines: both,
    scenarios: ["server-sse-polling"],
    why: "for a server that ends a stream before its answer, which the gateway never does; the suite itself has it on hold",
  },
  {
    lines: newest,
    scenarios: ["sep-2640-skills-directory", "sep-2640-skills-enumeration", "sep-2640-skills-manifest"],
    why: "extension; for servers that have skills; they skip themselves behind the gateway",
  },
  {
    lines: newest,
    scenarios: [
      "tasks-lifecycle",
      "tasks-capability-negotiation",
      "tasks-wire-fields",
      "tasks-request-state-removal",
      "tasks-mrtr-input",
      "tasks-request-headers",
      "tasks-dispatch-and-envelope",
      "tasks-status-notifications",
      "tasks-required-task-error",
      "tasks-mrtr-composition",
    ],
    why: "extension; want the suite's own tools in a server with tasks; test/integration/tasks.test.ts has two servers with tasks instead",
  },
];
