import { expect, test } from "vitest"
import { pytestCounts, settle, total, verdict, vitestCounts } from "#functions/setup/count.mjs"

test("vitest: a file that could not be loaded is one failure", () => {
  const report = {
    numPassedTests: 5,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 1,
    testResults: [
      { status: "failed", assertionResults: [{}] },
      { status: "failed", assertionResults: [] },
      { status: "passed", assertionResults: [] },
    ],
  }
  expect(vitestCounts(report)).toEqual({ passed: 5, failed: 2, skipped: 3 })
})

test("pytest: counts come from the suite, not from the test cases", () => {
  const xml = `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2"
    skipped="3" tests="10" time="0.1"><testcase name="tests" time="0"/></testsuite></testsuites>`
  expect(pytestCounts(xml)).toEqual({ passed: 4, failed: 3, skipped: 3 })
})

test("a step that fails without a failed test counts as one", () => {
  expect(settle(2)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  expect(settle(1, { passed: 3, failed: 0, skipped: 0 }).failed).toBe(1)
  expect(settle(1, { passed: 3, failed: 2, skipped: 0 }).failed).toBe(2)
  expect(settle(0, { passed: 3, failed: 0, skipped: 1 })).toEqual({ passed: 3, failed: 0, skipped: 1 })
})

test("the last line names the skipped only where there are some", () => {
  const all = total([settle(0), { passed: 2, failed: 0, skipped: 0 }, { passed: 3, failed: 1, skipped: 0 }])
  expect(verdict(all)).toBe("5 passed, 1 failed")
  expect(verdict({ passed: 1, failed: 0, skipped: 4 })).toBe("1 passed, 0 failed, 4 skipped")
})
