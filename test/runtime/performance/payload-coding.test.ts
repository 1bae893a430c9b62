import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import { codingFor, codings, encodePayload } from "../../../runtime/performance/index.ts";

test.each([
  [undefined, undefined],
  ["", undefined],
  ["identity", undefined],
  ["gzip, deflate", "gzip"],
  ["gzip, deflate, br", "br"],
  ["gzip, deflate, br, zstd", "zstd"],
  ["GZIP;q=0.8, br;q=0.2", "gzip"],
  ["zstd;q=0, br;q=0, gzip;q=0", undefined],
  ["*", "zstd"],
  ["zstd;q=0, *;q=0.5", "br"],
])("Accept-Encoding %j: %s", (header, coding) => {
  expect(codingFor(header)).toBe(coding);
});

test("each coding is what its name says", async () => {
  const text = "ä".repeat(5000);
  const decoders = { zstd: zstdDecompressSync, br: brotliDecompressSync, gzip: gunzipSync };
  for (const coding of codings) {
    const bytes = await encodePayload(text, coding);
    expect(bytes.length).toBeLessThan(200);
    expect(decoders[coding](bytes).toString()).toBe(text);
  }
});
