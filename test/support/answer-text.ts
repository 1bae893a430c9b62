/** The message in the body of an answer: JSON, or the last event of a stream, as a call that was silent for seconds has one. */
export function messageIn(body: string): unknown {
  if (/^[[{]/.test(body)) return JSON.parse(body);
  const last = body.split("\n").findLast((line) => line.startsWith("data: "));
  return JSON.parse((last as string).slice("data: ".length));
}
