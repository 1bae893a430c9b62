import type { Writable } from "node:stream";
import { FleetError, messageOf } from "../errors.ts";
import { withoutSecrets } from "../secret-guard.ts";
import { terminalText } from "../terminal-text.ts";

/** Exit codes of every command. */
export const ExitCode = { Clean: 0, Failed: 1, BadUsage: 2 } as const;

const badUsage = new Set(["CONFIG_INVALID", "CONFIG_UNREADABLE", "REFERENCE_UNRESOLVED", "ADDRESS_NEEDS_AUTH"]);

/** Writes one message for people, without what could control a terminal, and says with which code to leave. */
export function reportFailure(error: unknown, output: Writable): number {
  output.write(`mcp-fleet: ${terminalText(withoutSecrets(messageOf(error)))}\n`);
  if (error instanceof FleetError) return badUsage.has(error.code) ? ExitCode.BadUsage : ExitCode.Failed;
  if (error instanceof Error && error.stack) output.write(`${terminalText(withoutSecrets(error.stack))}\n`);
  return ExitCode.Failed;
}
