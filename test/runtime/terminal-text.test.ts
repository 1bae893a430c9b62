import { expect, test } from "@jest/globals";
import { fleetTable } from "../../runtime/cli/fleet-table.ts";
import { safeJson, terminalJson, terminalLine, terminalText } from "../../runtime/terminal-text.ts";

const hostile = "1\u001b[2J\u001b]0;PWNED\u0007\u009b31m\u202edne\u2066\u007f\r\u0000\u2028ü€";
const tame = "1\\u001b[2J\\u001b]0;PWNED\\u0007\\u009b31m\\u202edne\\u2066\\u007f\\u000d\\u0000\\u2028ü€";

test("controls of terminals and of writing direction are escaped; letters and lines stay", () => {
  expect(terminalText(`${hostile}\nline`)).toBe(`${tame}\nline`);
  expect(terminalLine("a\nb\tc")).toBe("a\\nb\\u0009c");
});

test("JSON stays the same value and holds nothing that a terminal obeys", () => {
  const json = terminalJson({ name: hostile }, 2);
  expect(JSON.parse(json)).toEqual({ name: hostile });
  expect(terminalText(json)).toBe(json);
  expect(safeJson('{"a":1}')).toBe('{"a":1}');
  expect(terminalJson(undefined)).toBe("null");
});

test("a server's version and last words cannot control the terminal of who asks for the status", () => {
  const instances = { ready: 0, total: 1, max: 1 };
  const fleet = { name: "evil", type: "custom", version: hostile, isolation: "shared", source: "node …", instances };
  const more = { inFlight: 0, waiting: 0, restarts: 0, tools: null, startupMs: null };
  const table = fleetTable([{ ...fleet, ...more, health: "failed", error: `${hostile}\nfake row` }]);
  expect(table).toContain(tame);
  expect(table).toContain(`failed: ${tame}\\nfake row`);
  expect(terminalText(table)).toBe(table);
});
