/** A media type without its parameters; types are written in any case (RFC 9110, section 8.3.1). */
export function essenceOf(type = ""): string {
  const semicolon = type.indexOf(";");
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase();
}

const json = "application/json";
const events = "text/event-stream";

/** Does a `Content-Type` say that the body is a stream of events? The two usual ones are told apart at once. */
export const isEventStream = (type: string | undefined): boolean =>
  type === events || (type !== json && essenceOf(type) === events);
