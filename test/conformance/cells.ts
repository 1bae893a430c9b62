import { requiredOf, type SuiteLine } from "../support/conformance.ts";

/** One scenario as it is run. `revision` is undefined for scenarios of extensions, which have none. */
export interface Cell {
  readonly line: SuiteLine;
  readonly revision: string | undefined;
  readonly scenario: string;
}

const cells = (line: SuiteLine, revision: string | undefined, ...scenarios: readonly string[]): readonly Cell[] =>
  scenarios.map((scenario) => ({ line, revision, scenario }));

/** What the suite requires of clients, by its own frozen lists. */
export const requiredClientCells: readonly Cell[] = [
  ...cells("newest", "2025-11-25", ...requiredOf("client", "2025-11-25")),
  ...cells("newest", "2026-07-28", ...requiredOf("client", "2026-07-28")),
  ...cells("stable", "2025-11-25", ...requiredOf("client", "2025-11-25")),
];

/** Client scenarios beyond what is required, which pass as well. */
export const moreClientCells: readonly Cell[] = [
  ...cells("newest", "2025-03-26", "auth/2025-03-26-oauth-metadata-backcompat"),
  ...cells("newest", "2025-11-25", "json-schema-2020-12-preservation"),
  ...cells("newest", "2026-07-28", "json-schema-2020-12-preservation"),
  ...cells("newest", undefined, "auth/client-credentials-basic", "auth/client-credentials-jwt", "auth/wif-jwt-bearer"),
  ...cells(
    "stable",
    "draft",
    "auth/resource-mismatch",
    "auth/offline-access-scope",
    "auth/offline-access-not-supported",
  ),
  ...cells("stable", undefined, "auth/client-credentials-basic", "auth/client-credentials-jwt"),
];

/** Server scenarios beyond what is required, which pass as well. */
export const moreServerCells: readonly Cell[] = [
  ...cells("newest", "2025-11-25", "json-schema-2020-12", "server-session-lifecycle"),
  ...cells("newest", "2026-07-28", "json-schema-2020-12"),
  ...cells("newest", "2026-07-28", "http-header-validation", "http-custom-header-server-validation"),
  ...cells("stable", "2025-11-25", "json-schema-2020-12"),
];

/** Scenarios for authorization servers. */
export const authorizationCells: readonly Cell[] = cells(
  "newest",
  undefined,
  "authorization-server-metadata-endpoint",
  "authorization-code-grant",
);
