const newline = 10;
/** No request line is longer than the longest head; what comes behind is not looked at. */
const maxBytes = 64 * 1024;

/**
 * Does a request line hold two spaces in a row? Node's parser takes them, a proxy could see another target there (RFC 9112,
 * section 3, allows one space). `bytes` begin where a request begins; of a line that has not ended, what is there counts.
 */
export function hasDoubleSpace(bytes: Buffer): boolean {
  const at = bytes.indexOf("  ", 0, "latin1");
  return at >= 0 && at < maxBytes && !bytes.subarray(firstLine(bytes), at).includes(newline);
}

/** Where the request line begins: an empty line before it is allowed (RFC 9112, section 2.2). */
function firstLine(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 13 || bytes[at] === newline) at += 1;
  return at;
}
