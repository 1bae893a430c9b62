import { provider } from "@pulumi/pulumi";
import { PackageProvider } from "./package-provider.ts";

// `main` of package.json: what Pulumi's `run-plugin` requires of the folder of this package, for programs in YAML, Python and Go.
// Node.js programs are given `exports` instead, and never load this.
provider.main(new PackageProvider(), process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
});
