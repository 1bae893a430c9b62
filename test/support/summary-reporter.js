import { writeFileSync } from "node:fs";

/**
 * Ends a run with one plain line, `N passed, N failed`, and names the skipped tests: in CI (`CI=true`) a skipped test
 * fails the run, because there every engine is present. A run whose tests left something open is ended, and fails.
 */
export default class SummaryReporter {
  #failure;

  /** What a test leaves open would keep the run alive for ever: say what it is, and fail. */
  #endSoon() {
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().filter((kind) => !/^(TTY|Pipe)Wrap$/.test(kind));
      console.error(`the tests are done, but 20 s later they still hold ${open.join(", ") || "something open"}`);
      process.exit(1);
    }, 20_000).unref();
  }

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
    this.#endSoon();
  }

  getLastError() {
    return this.#failure;
  }
}
