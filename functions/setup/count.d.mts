export interface Counts {
  passed: number
  failed: number
  skipped: number
}
export function vitestCounts(report: {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}): Counts
export function pytestCounts(xml: string): Counts
export function settle(exitCode: number, counts?: Counts): Counts
export function total(all: Counts[]): Counts
export function verdict(counts: Counts): string
