/** Every default of the `systemd` platform; a default is a contract. */
export const systemdDefaults = Object.freeze({
  unitDirectory: "/etc/systemd/system",
  // Where administrators look for what a package's services are given.
  configDirectory: "/etc/mcp-fleet",
  // Packages of presets, installed by root and read by every service; the resource that installs them knows the same place.
  packageCache: "/var/cache/mcp-fleet",
  // Where a service keeps what outlives it, as in the image.
  stateFolder: "/var/lib/mcp-fleet",
  // One process of Node.js with a few warm servers beside it, at rest.
  cpuMillicores: 1000,
  memoryMiB: 512,
  // One: it is one machine, and the service manager restarts what ends.
  fleetInstances: 1,
  // Nobody but this machine.
  host: "127.0.0.1",
  port: 8080,
  // First port of a fleet whose servers run under the server host, at a loopback address of its own.
  hostPort: 3001,
  path: "/mcp",
  // As in the configuration's own default.
  drainMs: 10_000,
  // What is left when the drain is over, before the service manager kills.
  graceMarginSeconds: 5,
  // Packages may be read from a slow disk at the first start.
  startSeconds: 180,
  // As long as a server takes to fail twice over the same mistake.
  restartSeconds: 2,
  // Processes and threads: Node.js has about a dozen, a browser some hundred.
  tasks: 512,
});
