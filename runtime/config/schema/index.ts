export { ConfigFile, configSchema, serverNamePattern } from "./file.ts";
export { Admin, Auth, Gateway, Log, Session } from "./gateway.ts";
export { type ConfigIssue, type ConfigPath, issueText, pathText } from "./issue.ts";
export type * from "./process-platform.ts";
export { Isolation, ProcessSource, Scaling, Server, ServerType, Timeouts, Tools, UpstreamProtocol } from "./server.ts";
export { validateConfig, validateGateway, validateServer } from "./validate.ts";
