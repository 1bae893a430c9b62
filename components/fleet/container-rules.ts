import type { MCPServerFleetArgs } from "./args.ts";

/** Mistakes in what a fleet's containers run, the same on every platform: image, source of instances, preset. `imageFix` says where the image must be. */
export function containerProblems(
  { type, container }: Pick<MCPServerFleetArgs, "type" | "container">,
  imageFix: string,
): string[] {
  const missing = container?.image === undefined ? [`container.image is missing; ${imageFix}`] : [];
  return [...missing, ...commandProblems({ type, container }), ...portlessPath("path", container)];
}

/** Mistakes in what starts a fleet's servers, with or without an image: source of instances, preset. */
export function commandProblems({ type, container }: Pick<MCPServerFleetArgs, "type" | "container">): string[] {
  const problems: string[] = [];
  if (type === "custom" && container?.command === undefined && container?.port === undefined) {
    problems.push("has no source of instances; give container.command, container.port, endpoints, or discovery");
  }
  if (type !== "custom") {
    for (const key of ["command", "args", "port", "env", "secretEnv"] as const) {
      if (container?.[key] === undefined) continue;
      problems.push(`container.${key} stands beside the preset "${type}"; remove it, or set type to custom`);
    }
  }
  return problems;
}

/** A path of a server that listens itself, without the port at which it does. */
export function portlessPath(key: "path" | "healthPath", container: MCPServerFleetArgs["container"]): string[] {
  if (container?.[key] === undefined || container.port !== undefined) return [];
  return [`container.${key} is given, but the server host serves this server; add container.port or remove it`];
}
