// CommonJS, as in `runtime/http-client.ts`: names for whoever loads it late.
export { createClient } from "@redis/client";
