// undici is CommonJS. A bundler that keeps it in a file of its own, loaded when first used, gives only the default export
// of such a module; this one has names.
export { Agent, buildConnector, type Dispatcher, fetch, ProxyAgent, request } from "undici";
