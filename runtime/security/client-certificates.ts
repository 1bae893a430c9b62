import type { TLSSocket } from "node:tls";
import { certificateKeys, subjectKey } from "./certificate-names.ts";
import { type Holder, hasExpired, type Principal, principalOf } from "./principal.ts";

/** Who stands behind which certificate. */
export interface CertificateHolder extends Holder {
  /** `CN:name`, an alternative name with its kind, or a common name for certificates without alternative names. */
  readonly subject: string;
}

/** Identities of client certificates that TLS has verified against `gateway.tls.clientCaFile`. */
export class ClientCertificates {
  readonly #bySubject: ReadonlyMap<string, Principal>;
  readonly #clock: () => number;
  /** The certificate of a connection does not change: it is read once. */
  readonly #known = new WeakMap<TLSSocket, Principal | null>();

  constructor(holders: readonly CertificateHolder[], clock: () => number) {
    this.#bySubject = new Map(holders.map((holder) => [subjectKey(holder.subject), principalOf(holder, "mtls")]));
    this.#clock = clock;
  }

  /** Undefined without a verified certificate, or for one that nobody was named for. */
  identify(socket: TLSSocket): Principal | undefined {
    let known = this.#known.get(socket);
    if (known === undefined) {
      known = this.#read(socket) ?? null;
      this.#known.set(socket, known);
    }
    return known !== null && !hasExpired(known, this.#clock()) ? known : undefined;
  }

  #read(socket: TLSSocket): Principal | undefined {
    if (socket.authorized !== true) return undefined;
    for (const key of certificateKeys(socket.getPeerCertificate())) {
      const found = this.#bySubject.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
