import { setImmediate } from "node:timers/promises"

/** Of one stretch of work, in ms: what others may have to wait. */
const stretch = 4

/** For long loops: `if (breath.due()) await breath.take()` lets the event loop run every few milliseconds. */
export function breathing(): { due(): boolean; take(): Promise<void> } {
  let since = performance.now()
  return {
    due: () => performance.now() - since > stretch,
    async take() {
      await setImmediate()
      since = performance.now()
    },
  }
}
