/** Test counts out of the reports that the test runners write. */

/** Vitest's JSON report. A file that could not even be loaded counts as one failure. */
export function vitestCounts(report) {
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** pytest's JUnit XML: `<testsuite errors="0" failures="0" skipped="0" tests="3" …>`. */
export function pytestCounts(xml) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const [suite] of xml.matchAll(/<testsuite\s[^>]*>/g)) {
    const number = (name) => Number(suite.match(new RegExp(`\\s${name}="(\\d+)"`))?.[1] ?? 0)
    const failed = number("failures") + number("errors")
    counts.failed += failed
    counts.skipped += number("skipped")
    counts.passed += number("tests") - failed - number("skipped")
  }
  return counts
}

/** A step that failed without a test to blame counts as one failed. */
export function settle(exitCode, counts = { passed: 0, failed: 0, skipped: 0 }) {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

export function total(all) {
  const sum = (key) => all.reduce((n, counts) => n + counts[key], 0)
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") }
}

/** The last line of `npm test`. */
export function verdict({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`
}
