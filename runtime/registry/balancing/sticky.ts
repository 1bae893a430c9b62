/** FNV-1a, 32 bit: cheap, and spreads short texts well. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  // The last letters of the texts differ most: mix them into all bits (murmur3's finalizer).
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/**
 * The same one for the same owner (rendezvous hashing, Thaler and Ravishankar 1998): needs no table, holds across
 * workers and replicas, and when a candidate goes only its own owners move.
 */
export function stickyPick<T extends { readonly id: string }>(candidates: readonly T[], owner: string): T {
  const seed = hash(owner, 0x811c9dc5);
  let best = candidates[0] as T;
  let most = -1;
  for (const candidate of candidates) {
    const score = hash(candidate.id, seed);
    if (score > most) {
      most = score;
      best = candidate;
    }
  }
  return best;
}
