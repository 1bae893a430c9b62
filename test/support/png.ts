import { crc32 } from "node:zlib";

/** Width and height of a PNG whose every chunk is intact (PNG specification, section 5). Throws when it is not. */
export function pngSize(bytes: Buffer): { width: number; height: number } {
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  if (!bytes.subarray(0, 8).equals(signature)) throw new Error("no PNG signature");
  let type = "";
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    type = body.toString("latin1", 0, 4);
    if (crc32(body) !== bytes.readUInt32BE(at + 8 + length)) throw new Error(`the checksum of ${type} is wrong`);
    at += 12 + length;
  }
  if (type !== "IEND") throw new Error("the end is missing");
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}
