import { createHash } from "node:crypto";

/** One package of a bill of materials. */
export interface Component {
  readonly type: "library" | "platform";
  readonly name: string;
  readonly version: string;
  /** Its package URL, by which scanners look it up. */
  readonly purl: string;
}

/** What a bill is of. */
export interface Subject {
  readonly type: "container" | "library";
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

/** A bill of materials in CycloneDX 1.5. */
export interface Bill {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.5";
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: { readonly component: Subject };
  readonly components: readonly Component[];
}

/** A package of npm by `name@version`. */
export function npmComponent(identity: string): Component {
  const at = identity.lastIndexOf("@");
  const [name, version] = [identity.slice(0, at), identity.slice(at + 1)];
  return { type: "library", name, version, purl: `pkg:npm/${name.replace("@", "%40")}@${version}` };
}

/** The parts of a lock file, npm's own note of an installed folder among them, that this reads. */
export interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly dev?: true; readonly peer?: true; readonly link?: true }>
  >;
}

/** What a lock file brings along for who installs the package, without what only its development or a peer needs. */
export function componentsOf({ packages }: Lock): readonly Component[] {
  const shipped = Object.entries(packages).filter(
    ([path, { dev, peer, link }]) => path !== "" && dev !== true && peer !== true && link !== true,
  );
  return shipped.map(([path, { version }]) => npmComponent(`${path.split("node_modules/").at(-1)}@${version}`));
}

/** The bill of a subject; each package once, in the order of package URLs, with a serial number made of its content. */
export function billOf(subject: Subject, all: readonly Component[]): Bill {
  const byPurl = new Map(all.map((component) => [component.purl, component]));
  const components = [...byPurl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([subject, components]))}`,
    version: 1,
    metadata: { component: subject },
    components,
  };
}

/** A UUID of version 8 (RFC 9562) made of a hash. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
