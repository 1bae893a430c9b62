export { chartFile } from "./chart-library.ts";
export { pageStyle } from "./page-style.ts";
