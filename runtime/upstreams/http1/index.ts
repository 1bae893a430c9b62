export type { HttpConnection, Requester } from "./connection.ts";
export { HttpPool } from "./pool.ts";
export { isFieldValue, type RequestHeaders, requestHead } from "./request-head.ts";
export type { ResponseHeaders } from "./response-reader.ts";
