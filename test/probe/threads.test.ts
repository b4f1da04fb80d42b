import { availableParallelism } from "node:os"
import { describe, expect, onTestFinished, test } from "vitest"
import { prng } from "#shared/probe/math/prng.ts"
import { evaluate } from "#shared/probe/measure/evaluate.ts"
import { inThisThread, threads, threadsFor, type Workers } from "#shared/probe/measure/threads.ts"
import type { Study } from "#shared/probe/study/rows.ts"

const method = { kind: "linear" } as const

/** Numbers in shared memory, two of which tell a value, a class or a time. */
function study(kind: "ridge" | "logistic" | "cox", rows = 90, columns = 20): Study {
  const random = prng(11)
  const values = new Float32Array(new SharedArrayBuffer(4 * rows * columns))
  for (let i = 0; i < values.length; i++) values[i] = random() - 0.5
  const target = Float64Array.from(
    { length: rows },
    (_, r) => values[r * columns] - 2 * values[r * columns + 1] + random() / 2,
  )
  const group = Uint32Array.from({ length: rows }, (_, r) => r >> 1)
  const table = { values, rows, columns }
  const above = target.map((t) => Number(t > 0))
  if (kind === "ridge") return { kind, target, outputs: 1, table, group, stratum: new Uint32Array(rows) }
  if (kind === "logistic")
    return { kind, target: above, outputs: 1, table, group, stratum: Uint32Array.from(above) }
  const event = Uint8Array.from({ length: rows }, (_, r) => Number(r % 4 > 0))
  const grid = Float64Array.of(0.4, 0.8, 1.5)
  const time = target.map((t) => Math.exp(t))
  return { kind, target: time, event, grid, outputs: 4, table, group, stratum: Uint32Array.from(event) }
}

function ended(workers: Workers): Workers {
  onTestFinished(workers.close)
  return workers
}

describe("threads", () => {
  test.each(["ridge", "logistic", "cox"] as const)(
    "%s: the same to the last bit as in one thread",
    async (kind) => {
      const of = study(kind)
      const workers = ended(threads(2))
      const steps: number[] = []
      const options = { folds: 5, seed: 3, method }
      const [there, here] = await Promise.all([
        evaluate(of, { ...options, workers, onFold: (done) => steps.push(done) }),
        evaluate(of, options),
      ])
      expect(there).toEqual(here)
      expect(steps).toEqual(Array.from({ length: 10 }, (_, i) => i + 1))
      const lesson = { study: of, rows: Uint32Array.from(of.target.keys()), method, seed: 3 }
      expect(await workers.learn(lesson)).toEqual(await inThisThread().learn(lesson))
    },
  )

  test("a trial that needs more memory than there is fails with a fault, and the thread goes on", async () => {
    const of = study("ridge")
    const workers = ended(threads(1))
    const columns = 2 ** 40
    const huge = { ...of, table: { ...of.table, columns } }
    const train = Uint32Array.of(2, 3, 4, 5)
    const trial = { study: of, train, test: Uint32Array.of(1), method: { ...method, penalty: 1 }, seed: 0 }
    const fault = { kind: "unavailable", code: "thread-failed" }
    await expect(workers.heldOut({ ...trial, study: huge })).rejects.toMatchObject(fault)
    expect(await workers.heldOut(trial)).toEqual(await inThisThread().heldOut(trial))
  })

  test.each([
    ["ends", "process.exit(0)"],
    ["is broken", "throw new Error('lost')"],
  ])("a thread that %s rejects all that waits for it, and all that is asked later", async (_, act) => {
    const of = study("ridge")
    const text = `import { parentPort } from "node:worker_threads"; parentPort.once("message", () => { ${act} })`
    const workers = ended(threads(2, new URL(`data:text/javascript,${encodeURIComponent(text)}`)))
    const fault = { kind: "unavailable", code: "thread-failed" }
    await expect(evaluate(of, { folds: 5, seed: 0, method, workers })).rejects.toMatchObject(fault)
    await expect(evaluate(of, { folds: 5, seed: 0, method, workers })).rejects.toMatchObject(fault)
  })

  test("what a thread does not expect is a bug, with its place", async () => {
    const of = study("ridge")
    const broken = { ...of, table: { ...of.table, values: undefined as never } }
    await expect(evaluate(broken, { folds: 5, seed: 0, method, workers: ended(threads(1)) })).rejects.toThrow(
      /TypeError.*\n.*design\.ts/,
    )
  })

  test.each([
    ["threads", () => threads(2)],
    ["this thread", inThisThread],
  ] as const)("%s that are closed give up what is pending", async (_, make) => {
    const workers = make()
    const evaluating = evaluate(study("ridge"), { folds: 5, seed: 0, method, workers })
    const refused = expect(evaluating).rejects.toMatchObject({ code: "threads-ended" })
    await workers.close()
    await refused
  })

  test("as many as there are cores, trials and memory for, and none for a small study", () => {
    const cores = availableParallelism()
    const [large, small] = [
      { rows: 10_000, columns: 864 },
      { rows: 60, columns: 864 },
    ]
    expect(threadsFor(large, 6, 2 ** 40)).toBe(Math.min(cores, 6))
    expect(threadsFor(large, 2, 2 ** 40)).toBe(Math.min(cores, 2))
    // 24 bytes for each of 8.64 million numbers: half of 300 MB has room for none.
    expect(threadsFor(large, 6, 3e8)).toBe(1)
    expect(threadsFor(small, 6, 2 ** 40)).toBe(1)
    expect(threadsFor(small, 150, 2 ** 40)).toBe(cores)
  })
})
