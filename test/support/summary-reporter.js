import { writeFileSync } from "node:fs";

/**
 * Ends a run with one plain line, `N passed, N failed`, and names the skipped tests: in CI (`CI=true`) a skipped test
 * fails the run, because there every engine is present.
 */
export default class SummaryReporter {
  #failure;

  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = results;
    const skipped = results.testResults.flatMap((suite) =>
      suite.testResults.filter(({ status }) => status === "pending"),
    );
    for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
    if (skipped.length > 0 && process.env.CI === "true")
      this.#failure = new Error(`${skipped.length} tests were skipped`);
    // A file that cannot even be loaded counts as one failure.
    const line = `${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ""}`;
    if (process.env.TEST_SUMMARY !== undefined) writeFileSync(process.env.TEST_SUMMARY, `${line}\n`);
    console.log(line);
  }

  getLastError() {
    return this.#failure;
  }
}
