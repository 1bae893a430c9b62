import type { ConfigFile, Server } from "../../runtime/config/schema/index.ts";
import { shownAddress } from "../../runtime/config/shown-source.ts";
import { kubernetesDefaults as defaults } from "./defaults.ts";

/** What a gateway's network policy lets out, everything known. */
export interface KnownEgress {
  readonly egressCidrs?: readonly string[] | undefined;
  readonly egressNamespaces?: readonly string[] | undefined;
  readonly egressPorts?: readonly number[] | undefined;
  readonly apiPorts?: readonly number[] | undefined;
}

/** Something that a gateway's configuration has it call. */
interface Called {
  readonly field: string;
  readonly address: string;
  readonly port: number;
}

const usualPorts: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "ws:": 80,
  "wss:": 443,
  "redis:": 6379,
  "rediss:": 6379,
};

/** Everything of a gateway's configuration whose port its network policy lets nothing out to: it would be cut off. */
export function unreachedProblems(config: ConfigFile, network: KnownEgress = {}): string[] {
  const { egressCidrs = [], egressNamespaces = [], egressPorts = [defaults.egressPort] } = network;
  const elsewhere = egressCidrs.length + egressNamespaces.length > 0 ? egressPorts : [];
  const open = [...(network.apiPorts ?? defaults.apiPorts), ...elsewhere];
  return calledBy(config)
    .filter(({ port }) => !open.includes(port))
    .map(({ field, address, port }) => {
      const place = "its place to kubernetes.network.egressNamespaces or egressCidrs";
      const fix = `add ${port} to kubernetes.network.egressPorts of the gateway, and ${place}`;
      return `${field} is ${address}, but the gateway's network policy lets nothing out to port ${port}; ${fix}`;
    });
}

function calledBy({ gateway, servers }: ConfigFile): Called[] {
  const { redis, cacheRedis } = gateway?.shared ?? {};
  return [
    ...called("shared.redis", redis),
    ...called("shared.cacheRedis", cacheRedis),
    ...(gateway?.auth?.jwt ?? []).flatMap(({ issuer, jwksUri, jwksFile, introspection }, index) => [
      ...called(`auth.jwt[${index}].jwksUri`, jwksUri),
      // Its metadata says where the keys are.
      ...called(`auth.jwt[${index}].issuer`, jwksUri === undefined && jwksFile === undefined ? issuer : undefined),
      ...called(`auth.jwt[${index}].introspection.url`, introspection?.url),
    ]),
    ...Object.entries(servers).flatMap(([name, server]) => calledFor(`fleet "${name}":`, server)),
  ];
}

function calledFor(of: string, { endpoints = [], discovery, credentials }: Server): Called[] {
  const { dns } = discovery ?? {};
  const named =
    dns?.port === undefined ? [] : [{ field: `${of} discovery.dns.port`, address: dns.name, port: dns.port }];
  return [
    ...endpoints.flatMap((url, index) => called(`${of} endpoints[${index}]`, url)),
    ...(discovery?.static ?? []).flatMap(({ url }, index) => called(`${of} discovery.static[${index}].url`, url)),
    ...named,
    ...called(`${of} credentials.oauth.issuer`, credentials?.oauth?.issuer),
  ];
}

/** Nothing where there is no address, or only a reference to one. */
function called(field: string, text: string | undefined): Called[] {
  if (text === undefined || !URL.canParse(text)) return [];
  const { protocol, port } = new URL(text);
  const known = port === "" ? usualPorts[protocol] : Number(port);
  return known === undefined ? [] : [{ field, address: shownAddress(text), port: known }];
}
