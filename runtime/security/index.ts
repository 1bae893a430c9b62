export { type Access, openAccess } from "./access.ts";
export { AuditLog } from "./audit-log.ts";
export type { Room } from "./gatekeeper.ts";
export { localPrincipal, type Principal } from "./principal.ts";
export { Proxies } from "./proxies.ts";
export { Security, type SecurityOptions } from "./security.ts";
export { strangersAt } from "./strangers.ts";
export { certificateExpiry, followTls, tlsOptions } from "./tls.ts";
