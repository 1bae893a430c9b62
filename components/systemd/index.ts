export { fleet } from "./fleet.ts";
export { gateway } from "./gateway.ts";
