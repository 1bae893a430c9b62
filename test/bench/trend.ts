/** Slope of the least-squares line through equally spaced samples, per sample. */
export function slope(samples: readonly number[]): number {
  const meanX = (samples.length - 1) / 2;
  const meanY = samples.reduce((sum, y) => sum + y, 0) / samples.length;
  let xy = 0;
  let xx = 0;
  for (const [x, y] of samples.entries()) {
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
  }
  return xx === 0 ? 0 : xy / xx;
}

/** By how much the line grows over all samples, after the first third, in which a process warms up. */
export function growth(samples: readonly number[]): number {
  const settled = samples.slice(Math.floor(samples.length / 3));
  return slope(settled) * (settled.length - 1);
}

/** The lowest of each so many samples: what is left of a heap after its collections. */
export function floors(samples: readonly number[], each: number): readonly number[] {
  const windows = Math.floor(samples.length / each);
  return Array.from({ length: windows }, (_, index) => Math.min(...samples.slice(index * each, (index + 1) * each)));
}
