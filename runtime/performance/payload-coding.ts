import { promisify } from "node:util";
import { brotliCompress, constants, gzip, zstdCompress } from "node:zlib";

/** Content codings (RFC 9110, RFC 7932, RFC 8878), the one first that is preferred when the other side takes several. */
export const codings = ["zstd", "br", "gzip"] as const;
export type Coding = (typeof codings)[number];

/** Fast settings: a JSON text is compressed once and read once. */
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
const encoders = {
  zstd: promisify(zstdCompress) as (bytes: Buffer) => Promise<Buffer>,
  br: (bytes: Buffer) => promisify(brotliCompress)(bytes, brotliOptions),
  gzip: promisify(gzip) as (bytes: Buffer) => Promise<Buffer>,
} satisfies Record<Coding, (bytes: Buffer) => Promise<Buffer>>;
/** The coding to use for a peer that sent this `Accept-Encoding`; undefined when none will do (RFC 9110, 12.5.3). */
export function codingFor(acceptEncoding: string | null | undefined): Coding | undefined {
  const weights = new Map<string, number>();
  for (const part of (acceptEncoding ?? "").toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    const weight = parameters.find((text) => text.startsWith("q="));
    if (name !== "") weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  const weightOf = (coding: Coding) => weights.get(coding) ?? weights.get("*") ?? 0;
  const best = Math.max(...codings.map(weightOf));
  return best > 0 ? codings.find((coding) => weightOf(coding) === best) : undefined;
}

export function encodePayload(payload: string | Buffer, coding: Coding): Promise<Buffer> {
  return encoders[coding](typeof payload === "string" ? Buffer.from(payload) : payload);
}
