/** The part of JSON Schema that the configuration uses. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly pattern?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

/** The reference of the configuration file as Markdown: one table per block, one row per key. */
export function configReference(schema: object): string {
  const { gateway, servers } = (schema as Schema).properties as { gateway: Schema; servers: Schema };
  const server = Object.values(servers.patternProperties ?? {})[0] as Schema;
  return [...table("gateway", gateway), ...table("servers.<name>", server)].join("\n");
}

function table(path: string, { properties = {}, required = [] }: Schema): string[] {
  const rows = Object.entries(properties).map(([key, child]) => {
    const name = `\`${key}\`${required.includes(key) ? " (required)" : ""}`;
    return `| ${name} | ${kind(child)} | ${(child.description ?? "See below.").replaceAll("|", "\\|")} |`;
  });
  const below = Object.entries(properties).flatMap(([key, child]) => {
    if (child.properties !== undefined) return table(`${path}.${key}`, child);
    return child.items?.properties === undefined ? [] : table(`${path}.${key}[]`, child.items);
  });
  return [`## \`${path}\``, "", "| Key | Value | What |", "|---|---|---|", ...rows, "", ...below];
}

function kind({ type, enum: choices, pattern, minimum, maximum, items, patternProperties }: Schema): string {
  if (Array.isArray(type)) {
    const one = (name: string) =>
      name === "string" ? `\`${pattern?.slice(1, -1)}\`` : kind({ type: name, minimum, maximum });
    return type.map(one).join(" or ");
  }
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(", ");
  if (type === "integer") {
    if (minimum === undefined) return "whole number";
    return maximum === undefined ? `whole number from ${minimum}` : `whole number, ${minimum} to ${maximum}`;
  }
  if (type === "array") return items?.properties === undefined ? "list of texts" : "list of blocks";
  if (type === "string") return "text";
  return patternProperties === undefined ? "block" : "texts by name";
}
