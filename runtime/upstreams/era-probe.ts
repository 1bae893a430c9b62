import { FleetError } from "../errors.ts";
import { orAfter } from "../or-after.ts";
import { Exchange } from "../protocol/exchange.ts";
import { enveloped } from "../protocol/modern.ts";
import { type Era, eraOf } from "./era-verdict.ts";
import { checkDescription, type GatewayIdentity, type HandshakePeer } from "./handshake.ts";

/** A server that has not answered `server/discover` for so long is taken for one of the session era: some answer nothing before `initialize`. */
const longestSilenceMs = 5000;
/** A server that was slow to start answers what came first, and refuses what came then, in the same moment. */
const lateMs = 1000;

const sessionEra: Era = { modern: false };

/** The question for the era of a server at the other end of a link (basic/versioning). */
export class EraProbe {
  readonly #exchange: Exchange;
  readonly #answer: Promise<Era>;
  readonly #silenceMs: number;
  #answered = false;

  /** Asks at once. The question stays open until `end`, or for twice `connectMs`. */
  constructor(peer: HandshakePeer, fleet: string, identity: GatewayIdentity, connectMs: number) {
    this.#exchange = new Exchange(2 * connectMs);
    this.#silenceMs = Math.min(longestSilenceMs, connectMs / 2);
    this.#answer = this.#ask(peer, fleet, identity);
    // A failure is told to those who ask for the verdict.
    this.#answer.catch(() => {});
  }

  /** What the server says; the session era when it is silent. Rejects for one that knows no revision of ours. */
  verdict(): Promise<Era> {
    return orAfter(this.#answer, this.#silenceMs, sessionEra);
  }

  /** What it has said after all, when it was silent at first and has refused `initialize`. */
  late(): Promise<Era> {
    return orAfter(this.#answer, lateMs, sessionEra);
  }

  /** Nobody waits for the answer any more. */
  end(): void {
    if (!this.#answered) this.#exchange.cancel("answered by initialize");
  }

  async #ask(peer: HandshakePeer, fleet: string, identity: GatewayIdentity): Promise<Era> {
    const params = enveloped(undefined, undefined, { ...identity });
    // Silence and a sudden end are answers too.
    const reply = await peer.request("server/discover", params, this.#exchange).catch(() => undefined);
    this.#answered = true;
    checkDescription(fleet, "server/discover", reply);
    const era: ReturnType<typeof eraOf> = reply === undefined ? sessionEra : eraOf(reply);
    if (typeof era === "object") return era;
    throw new FleetError("UPSTREAM_PROTOCOL", `${fleet}: the server knows no revision of MCP that the gateway does`);
  }
}
