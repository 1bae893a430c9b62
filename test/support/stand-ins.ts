import { join } from "node:path";

/**
 * Folders, none or one, that put the stand-ins for provider plugins on PATH. `PROVIDER_PLUGINS=real` leaves them off, so that the
 * engine uses the real plugins.
 */
export const standIns: readonly string[] =
  process.env.PROVIDER_PLUGINS === "real" ? [] : [join(import.meta.dirname, "../engines/stand-ins")];
