/** Systems on which a daemon can be told from a stranger that got its process id. */
const systems: Partial<Record<NodeJS.Platform, string>> = { linux: "Linux", darwin: "macOS" };

/** Why the `process` platform cannot be had on this system; undefined where it can. */
export function systemProblem(system: NodeJS.Platform = process.platform): string | undefined {
  if (systems[system] !== undefined) return undefined;
  const names = Object.values(systems).join(" and ");
  return `the platform process runs on ${names}, not on ${system}; use WSL 2 on Windows, or set platform to docker or kubernetes`;
}
