/** Every default of the components that is not one of the configuration itself; a default is a contract. */
export const defaults = Object.freeze({
  // The program runs on the machine that it deploys to, and nothing else is needed.
  platform: "process",
  // Where secrets lie in a container, as container runtimes have it.
  secretsFolder: "/run/secrets/mcp-fleet",
  // Processes of a server on its standard streams in one container, as in the configuration's own default.
  maxProcesses: 4,
});
