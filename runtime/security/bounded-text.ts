import { hash } from "node:crypto";

/** Longest text of a caller's choice in a line of a log. */
const maxChars = 256;

/** A text that a caller chose, as logs have it: whole up to 256 characters, else its beginning with its length and SHA-256. */
export function boundedText(text: string, max = maxChars): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max)}… (${text.length} characters, sha256:${hash("sha256", text, "hex")})`;
}
