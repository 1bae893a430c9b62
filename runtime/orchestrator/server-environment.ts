/** What every server inherits besides its own `env`. */
const common = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
/** Of use only with a network, and their URLs can hold passwords. */
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
/** Programs differ in the case that they read, and machines in the one that they set (curl reads `http_proxy` alone). */
function proxyEntries(): [string, string | undefined][] {
  return proxies.flatMap((name) => {
    const [upper, lower] = [process.env[name], process.env[name.toLowerCase()]];
    return [
      [name, upper ?? lower],
      [name.toLowerCase(), lower ?? upper],
    ];
  });
}

/** The gateway's variables that a server gets: nothing that could be a secret, and proxies only for one that has a network. */
export function minimalEnvironment(network: boolean): Record<string, string> {
  const entries = common.map((name): [string, string | undefined] => [name, process.env[name]]);
  const all = network ? [...entries, ...proxyEntries()] : entries;
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
