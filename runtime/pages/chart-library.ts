import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The file of Chart.js that browsers load: beside the code in the bundle; in a checkout and in the npm package, the dependency's own. */
export function chartFile(): string {
  if (import.meta.dirname.endsWith("bundle")) return join(import.meta.dirname, "..", "assets", "chart.umd.min.js");
  return join(dirname(createRequire(import.meta.url).resolve("chart.js")), "chart.umd.min.js");
}
