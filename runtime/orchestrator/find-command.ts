import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

/** The absolute path of an executable: given as a path, or found in an absolute folder of PATH; undefined when there is none. */
export function findCommand(command: string, path: string, cwd: string): string | undefined {
  if (command.includes("/")) return executable(isAbsolute(command) ? command : resolve(cwd, command));
  for (const folder of path.split(delimiter)) {
    // A relative one would depend on where the gateway was started.
    const found = isAbsolute(folder) ? executable(join(folder, command)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
