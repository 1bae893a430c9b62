/**
 * Characters with which a text can take over a terminal or hide what it says: controls of C0 and C1 besides the line feed
 * (ECMA-48), the line and paragraph separators, and the controls of writing direction (Unicode Standard Annex 9).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** Those of them that JSON leaves as they are. */
const unsafeInJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A text of a server, a client or the network as it can be written to a terminal: unsafe characters as `\u001b`. Lines stay. */
export const terminalText = (text: string): string => text.replace(unsafe, escaped);

/** The same on one line. */
export const terminalLine = (text: string): string => terminalText(text).replaceAll("\n", "\\n");

/** A value as JSON for terminals and machines: nothing but escapes differs from `JSON.stringify`. */
export const terminalJson = (value: unknown, space?: number): string =>
  safeJson(JSON.stringify(value, undefined, space) ?? "null");

/** JSON with its unsafe characters escaped; it stays the same value. */
export const safeJson = (json: string): string => json.replace(unsafeInJson, escaped);
