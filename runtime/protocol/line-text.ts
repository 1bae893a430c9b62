/** They end a line for some readers (Node's `readline`, Python's `splitlines`), and JSON leaves them as they are. */
const separators = /[\u0085\u2028\u2029]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A JSON text as one line with its end, whatever its reader takes for the end of a line. */
export function asLine(message: string): string {
  const separated = message.includes("\u2028") || message.includes("\u2029") || message.includes("\u0085");
  return `${separated ? message.replace(separators, escaped) : message}\n`;
}
