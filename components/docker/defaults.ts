/** Every default of the `docker` platform; a default is a contract. */
export const dockerDefaults = Object.freeze({
  // One process of Node.js with a few warm servers beside it, at rest.
  cpuMillicores: 1000,
  memoryMiB: 512,
  // One: a Docker host is one machine, and the engine restarts what ends.
  fleetInstances: 1,
  // Nobody but this machine.
  host: "127.0.0.1",
  port: 8080,
  hostPort: 3001,
  gatewayPort: 8080,
  path: "/mcp",
  // As in the configuration's own default.
  drainMs: 10_000,
  // What is left when the drain is over, before the engine kills.
  graceMarginSeconds: 5,
  // No user or group of the host has this id.
  user: "65532:65532",
  temporaryMiB: 256,
  logMaxMiB: 10,
  logMaxFiles: 5,
  cacheImage: "redis:8.2-alpine",
  cachePort: 6379,
  cacheCpuMillicores: 500,
  cacheMemoryMiB: 256,
  // Leaves room in the container for Redis itself and its copies of what it sends.
  cacheMaxMemoryMiB: 160,
  // A count takes some 150 bytes: hundreds of thousands fit.
  limitsMemoryMiB: 128,
  limitsMaxMemoryMiB: 64,
  // Packages may be unpacked at the first start of a slow machine; who has made a mistake hears of it within two minutes.
  waitSeconds: 110,
  // Clients close an idle connection by then themselves; one that is closed while its client is sending is a failed call.
  lingerMs: 5000,
  // A process of Node.js that copies bytes.
  frontMemoryMiB: 192,
  // A fleet's new container is found, and the old one forgotten, within this time.
  lookMs: 1000,
});
