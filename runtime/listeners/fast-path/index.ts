export { FastPath } from "./fast-path.ts";
export { FastResponse } from "./fast-response.ts";
export type { RequestHead } from "./request-head.ts";
