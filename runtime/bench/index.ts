export { discover, type Wanted } from "./discover.ts";
export { type Measurement, type MeasureOptions, measure } from "./measure.ts";
export { type Usage, usageOf } from "./process-tree.ts";
export { type BenchReport, describeMachine, htmlReport } from "./report.ts";
export { median, medianOf, runSuite, type SuiteOptions } from "./suite.ts";
export { benchTable, errorCount } from "./table.ts";
export type { CallSpec, Target } from "./target.ts";
