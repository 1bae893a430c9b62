/** What a process of the gateway needs to know of the others: the sockets on which they take forwarded requests, by slot. */
export type Sockets = Readonly<Record<number, string>>;

/**
 * Which workers serve now. Each has a slot, a small number that its successor takes over, so that what a sealed id says of
 * its owner stays true when a worker is replaced or restarted.
 */
export class Roster {
  /** Of this process. */
  readonly slot: number;
  readonly #own: string;
  #sockets: Sockets = {};

  /** `socket`: of this process, which is reached there before the others are told of it. */
  constructor(slot: number, socket: string) {
    this.slot = slot;
    this.#own = socket;
  }

  /** Takes over what the supervisor says. */
  update(sockets: Sockets): void {
    this.#sockets = sockets;
  }

  /** Who keeps the state behind a sealed id: the worker that it names, or while there is none the same other one for everybody. */
  ownerOf(slot: number, id: string): number {
    if (slot === this.slot || slot in this.#sockets) return slot;
    // Rendezvous hashing (Thaler and Ravishankar, 1996): who is there decides, not who asks.
    let owner = this.slot;
    let best = -1;
    for (const candidate of [...Object.keys(this.#sockets).map(Number), this.slot].filter((one) => one >= 0)) {
      const weight = hash(`${candidate}:${id}`);
      if (weight > best) [owner, best] = [candidate, weight];
    }
    return owner;
  }

  socketOf(slot: number): string | undefined {
    return slot === this.slot ? this.#own : this.#sockets[slot];
  }

  /** Nobody listens at this socket any more; the supervisor has not said so yet. */
  lost(slot: number, socket: string): void {
    if (this.#sockets[slot] !== socket) return;
    const { [slot]: _gone, ...others } = this.#sockets;
    this.#sockets = others;
  }

  /** Sockets of the other workers. */
  get workers(): readonly string[] {
    const others = Object.entries(this.#sockets).filter(([slot]) => Number(slot) >= 0 && Number(slot) !== this.slot);
    return others.map(([, socket]) => socket);
  }
}

/** FNV-1a, 32 bits, with the finalizer of MurmurHash3: texts that begin differently and end alike are to differ in every bit. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
