/** What every server inherits besides its own `env`. */
const common = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
/** Of use only with a network, and their URLs can hold passwords. */
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/** The gateway's variables that a server gets: nothing that could be a secret, and proxies only for one that has a network. */
export function minimalEnvironment(network: boolean): Record<string, string> {
  const names = network ? [...common, ...proxies] : common;
  const entries = names.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}
