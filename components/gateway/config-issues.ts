import { conditionIssues } from "../../runtime/config/schema/conditions.ts";
import { type ConfigFile, type ConfigIssue, validateConfig } from "../../runtime/config/schema/index.ts";

/** Every mistake in a whole configuration file that a platform writes, the expressions of its rules included. */
export function configIssues(config: ConfigFile): ConfigIssue[] {
  const conditions = conditionIssues(config.gateway).map((issue) => ({ ...issue, path: ["gateway", ...issue.path] }));
  return [...validateConfig(config), ...conditions];
}
