import Type, { type Static } from "typebox";
import { Gateway } from "./gateway.ts";
import { Server } from "./server.ts";

/** A fleet's name: part of paths and of federated tool names, hence short and plain. */
export const serverNamePattern = "^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$";

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

/** The JSON Schema of the configuration file, for editors (draft 2020-12). */
export function configSchema(): object {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...ConfigFile };
}
