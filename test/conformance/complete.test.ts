import { beforeAll, expect, test } from "@jest/globals";
import { pageAt } from "../docs/pages.ts";
import { requiredOf, type SuiteLine, scenariosOf } from "../support/conformance.ts";
import { authorizationCells, type Cell, moreClientCells, moreServerCells, requiredClientCells } from "./cells.ts";
import { clientsLeftOut, type LeftOut, serversLeftOut } from "./left-out.ts";

// Every scenario of both lines of the official suite is run, or is left out for a reason that is written down.
type Listed = Awaited<ReturnType<typeof scenariosOf>>;
const lines = ["newest", "stable"] as const;
let listed: Record<SuiteLine, Listed>;
beforeAll(async () => {
  const [newest, stable] = await Promise.all(lines.map(scenariosOf));
  listed = { newest: newest as Listed, stable: stable as Listed };
});

const run = (line: SuiteLine, cells: readonly Cell[]) => [
  ...new Set(cells.filter((cell) => cell.line === line).map(({ scenario }) => scenario)),
];
const left = (line: SuiteLine, table: readonly LeftOut[]) =>
  table.filter((row) => row.lines.includes(line)).flatMap(({ scenarios }) => scenarios);

test.each(lines)("client scenarios of the %s line", (line) => {
  const ours = run(line, [...requiredClientCells, ...moreClientCells]);
  expect([...ours, ...left(line, clientsLeftOut)].sort()).toEqual([...listed[line].client].sort());
});

test("scenarios for authorization servers, which the stable line has none of", () => {
  expect(run("newest", authorizationCells)).toEqual(listed.newest.authorization);
  expect(listed.stable.authorization).toEqual([]);
});

test("server scenarios of the newest line", () => {
  const required = ["2025-11-25", "2026-07-28"].flatMap((revision) => requiredOf("server", revision));
  const ours = [...required, ...run("newest", moreServerCells), ...left("newest", serversLeftOut)];
  expect([...new Set(ours)].sort()).toEqual([...listed.newest.server].sort());
});

test("server scenarios of the stable line: the rest are the 30 of its active set, which are run together", () => {
  const ours = [...run("stable", moreServerCells), ...left("stable", serversLeftOut)];
  expect(ours.filter((name) => !listed.stable.server.includes(name))).toEqual([]);
  expect(listed.stable.server.filter((name) => !ours.includes(name)).length).toBe(30);
});

test("docs/protocol.md says which are left out, and why", () => {
  const row = ({ scenarios, why }: LeftOut) => `| ${scenarios.map((name) => `\`${name}\``).join(", ")} | ${why} |`;
  const table = [...clientsLeftOut, ...serversLeftOut].map(row).join("\n");
  expect(pageAt("docs/protocol.md").text).toContain(table);
});
