import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6 } from "node:net";
import { plainAddress, withoutPort } from "./network.ts";

/** The proxies whose word about a client's address is taken. */
export class Proxies {
  readonly #trusted = new BlockList();
  readonly #any: boolean;

  /** Addresses, or networks like `10.0.0.0/8`. */
  constructor(trusted: readonly string[]) {
    this.#any = trusted.length > 0;
    for (const entry of trusted) {
      const [address = "", bits] = entry.split("/");
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  trusts(address: string): boolean {
    const plain = plainAddress(address);
    return this.#any && isIP(plain) !== 0 && this.#trusted.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  }

  /** Where a request comes from: the last address in `X-Forwarded-For` that is not one of the proxies' own. */
  addressOf({ socket, headers }: IncomingMessage): string {
    const peer = plainAddress(socket.remoteAddress ?? "");
    const forwarded = headers["x-forwarded-for"];
    if (forwarded === undefined || !this.trusts(peer)) return peer;
    const hops = String(forwarded).split(",");
    for (let index = hops.length - 1; index >= 0; index -= 1) {
      const hop = plainAddress(withoutPort((hops[index] as string).trim()));
      if (isIP(hop) === 0) return peer;
      if (!this.trusts(hop)) return hop;
    }
    return peer;
  }
}
