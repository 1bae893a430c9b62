export { type ConvertedConfig, convertClientFile } from "./convert.ts";
export { parseText } from "./parse-text.ts";
export { usualPlaces } from "./place.ts";
