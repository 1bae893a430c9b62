import { execFile } from "node:child_process";
import { join } from "node:path";
import { auditVerdict } from "./audit-report.ts";

// `npm run advisories`: known vulnerabilities of what is shipped. Ends with 1 for high and critical ones; a registry that cannot be asked is
// said, and is no result.
const printed = await new Promise<string>((resolve) => {
  const options = { cwd: join(import.meta.dirname, ".."), maxBuffer: 1 << 26, timeout: 120_000 };
  execFile("npm", ["audit", "--omit=dev", "--json"], options, (_error, out) => resolve(out));
});
const { outcome, text } = auditVerdict(printed);
const heads = {
  clean: "advisories: nothing that must not be shipped",
  vulnerable: "advisories: high or critical ones in what is shipped",
  unknown: "advisories: the registry could not be asked, so nothing is known about vulnerabilities",
};
console.log(`${heads[outcome]}\n${text}`);
process.exitCode = outcome === "vulnerable" ? 1 : 0;
