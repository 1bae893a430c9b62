/** The text of an HTTP answer. Rejects, and leaves the rest unread, when it has more than `maxBytes`. */
export async function limitedText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop ends the request.
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
