import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";

const decoders = new Map<string, () => Transform>([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
  ["zstd", createZstdDecompress],
]);

/** Does a `Content-Encoding` leave the body as it is? */
export const isPlain = (coding: string | undefined): boolean =>
  coding === undefined || coding === "" || coding.toLowerCase() === "identity";

/**
 * What takes a coding off a body. Nobody asks servers for one, but some compress all the same, and so do proxies before
 * them (RFC 9110, section 12.5.3). Undefined for codings that are unknown, or several.
 */
export const decoderOf = (coding: string): Transform | undefined => decoders.get(coding.trim().toLowerCase())?.();

/** What is wrong with a body whose coding nobody understands. */
export const unknownCoding = (coding: string): string =>
  `answered with Content-Encoding "${coding}", which nobody asked for; switch compression off there`;
