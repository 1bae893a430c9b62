import { text } from "node:stream/consumers";
import { Command } from "commander";
import { FleetError } from "../errors.ts";

/** `mcp-fleet hash`: what a configuration keeps instead of a secret. The secret comes from standard input, so that no process list shows it. */
export function hashCommand(): Command {
  return new Command("hash")
    .description("Hash a secret from standard input for gateway.auth: a token or an API key, or a password.")
    .option("--password", "a password: a slow hash (scrypt)")
    .action(async ({ password }: { password?: true }) => {
      const secret = (await text(process.stdin)).replace(/\r?\n$/, "");
      if (secret === "")
        throw new FleetError("CONFIG_INVALID", "standard input is empty; pipe the secret into the command");
      const [{ hashPassword }, { digestOf }] = await Promise.all([
        import("../security/passwords.ts"),
        import("../security/secret-table.ts"),
      ]);
      process.stdout.write(`${password ? await hashPassword(secret) : `sha256:${digestOf(secret)}`}\n`);
    });
}
