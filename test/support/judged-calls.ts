import fc from "fast-check";
import type { Authorization, Server } from "../../runtime/config/schema/index.ts";
import type { Params } from "../../runtime/protocol/json-rpc.ts";

const callsPerRun = 40;

/** The server's tools. */
export const tools = ["echo", "admin", "Admin", "cut", "caf\u00e9", "cafe\u0301", "a b"];

/** A request of a caller. */
export interface Call {
  readonly method: string;
  readonly params: Params;
}

// Spellings: the plain one, and what somebody tries who was refused.
const spelled = (names: readonly string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>(...names) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(
          fc.constantFrom(...names),
          fc.constantFrom<(name: string) => unknown>(
            (name) => [name],
            (name) => [[name]],
            (name) => ({ toString: name }),
            (name) => name.toUpperCase(),
            (name) => ` ${name}`,
            (name) => `${name} `,
            (name) => `${name}\0`,
            (name) => `${name}\n`,
            (name) => `${name}\ud800`,
            (name) => name.normalize("NFD"),
            (name) => `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
            (name) => name.replace("pub/", "pub/../priv/"),
            (name) => name.replace("pub/", "pub/%2E%2e/priv/"),
            (name) => name.replace("pub/", "pub/..%2Fpriv/"),
            (name) => name.replaceAll("/", "\\"),
            (name) => name.replace("x:", "X:"),
            (name) => name.repeat(2000),
            () => null,
            () => 7,
            () => true,
            () => "__proto__",
            () => "",
          ),
        )
        .map(([name, spell]) => spell(name)),
    },
  );
const names = [...tools, "short", "nothing"];
const prompts = ["hello", "hidden"];
const uris = ["x://pub/a", "x://priv/b", "https://Host.example/a", "urn:Priv:b", "x://pub/{id}"];
/** Methods of nobody, and standard ones in other spellings. */
export const methods = ["acme/search", "acme/Search", "x/y", "Tools/Call", "tools/call ", "TOOLS/CALL", "tasks/list"];

const args = fc.constantFrom<unknown>({}, { a: 1 }, [], "a", null);
const callArbitrary: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ name: spelled(names), arguments: args }).map((params) => ({ method: "tools/call", params })),
  },
  { weight: 2, arbitrary: fc.record({ name: spelled(prompts) }).map((params) => ({ method: "prompts/get", params })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom("resources/read", "resources/subscribe"), spelled(uris))
      .map(([method, uri]) => ({ method, params: { uri } })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record(
        {
          type: fc.constantFrom<unknown>("ref/prompt", "ref/resource", "ref/tool", "Ref/Prompt", ["ref/prompt"]),
          name: spelled(prompts),
          uri: spelled(uris),
        },
        { requiredKeys: [] },
      )
      .map((ref) => ({ method: "completion/complete", params: { ref, argument: { name: "a", value: "b" } } })),
  },
  { weight: 1, arbitrary: fc.constantFrom(...methods).map((method) => ({ method, params: { name: "echo" } })) },
);

const some = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const patterns = {
  tools: some(["echo", "ad*", "A*", "*", "caf\u00e9", "cut", "a b"]),
  prompts: some(["hello", "h*", "hidden"]),
  resources: some(["x://pub/*", "x://priv/*", "X://priv/%62", "https://host.example:443/*", "urn:Priv:*", "*"]),
  methods: some(["acme/*", "acme/search", "x/*"]),
};
const ruleArbitrary: fc.Arbitrary<Authorization["rules"][number]> = fc
  .tuple(fc.constantFrom("allow" as const, "deny" as const), fc.record(patterns, { requiredKeys: [] }))
  // A rule of no names speaks of all, and one that denies all hides the server: then there is nothing to compare.
  .filter(([, named]) => Object.keys(named).length > 0)
  .map(([effect, named]) => ({ effect, ...named }));
/** Rules of a gateway and a filter of a server, with calls that they judge. */
export const configArbitrary = fc.record({
  default: fc.constantFrom("allow" as const, "deny" as const),
  // Something is allowed, so that the server can be seen.
  rules: fc.array(ruleArbitrary, { minLength: 1, maxLength: 4 }),
  ruled: fc.boolean(),
  filter: fc.constantFrom<NonNullable<Server["tools"]>>(
    {},
    { deny: ["admin", "cut"] },
    { allow: ["echo", "Admin", "caf\u00e9"] },
  ),
  custom: fc.constantFrom<string[]>([], ["acme/search"]),
  calls: fc.array(callArbitrary, { minLength: callsPerRun, maxLength: callsPerRun }),
});
