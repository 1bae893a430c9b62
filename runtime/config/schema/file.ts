import Type, { type Static } from "typebox";
import { Gateway } from "./gateway.ts";
import { serverNamePattern } from "./names.ts";
import { Server } from "./server.ts";

/** The whole configuration file. */
export const ConfigFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: "For editors; ignored." })),
    gateway: Type.Optional(Gateway),
    servers: Type.Record(Type.String({ pattern: serverNamePattern }), Server, {
      additionalProperties: false,
      description: "The fleets by name: lower case letters, digits and hyphens, at most 32 characters.",
    }),
  },
  { additionalProperties: false, title: "mcp-fleet configuration" },
);
export type ConfigFile = Static<typeof ConfigFile>;

/** The JSON Schema of the configuration file (draft 2020-12), as `mcp-fleet.schema.json` holds it. */
export function configSchema(): object {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...ConfigFile };
}
