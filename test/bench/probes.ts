/**
 * Linear probes on 10 000 × 864 made-up features: one fit at a fixed penalty, and the whole nested evaluation (five folds,
 * three inner folds, six penalties, the nearest neighbor, 1000 bootstrap replicates) on all cores, for each kind of head. Beside scikit-learn on the same
 * numbers where PATH's python3 has it: its time, and the mean objective that each reached (logistic and softmax).
 * `npm run bench -- probes [ROWS]`; the evaluation takes minutes.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { applyHead } from "#shared/probe/head/head.ts"
import { fitHeads, type LinearHead } from "#shared/probe/head/linear.ts"
import { type Goal, type Problem, rowOf } from "#shared/probe/head/problem.ts"
import { evaluate } from "#shared/probe/measure/evaluate.ts"
import { learn } from "#shared/probe/measure/learn.ts"
import { workersFor } from "#shared/probe/measure/threads.ts"
import type { Study } from "#shared/probe/study/rows.ts"
import { random } from "../retrieval/random.ts"

const rows = Number(process.argv[2] ?? 10_000)
const [columns, classes, penalty] = [864, 5, 100]
const next = random(4)
const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())

// Features share 40 directions, as learnt ones do; three of these carry what is to be learnt.
const directions = Float32Array.from({ length: 40 * columns }, normal)
const values = new Float32Array(new SharedArrayBuffer(4 * rows * columns))
const signal = new Float64Array(rows)
for (let row = 0; row < rows; row++) {
  const at = row * columns
  for (let c = 0; c < columns; c++) values[at + c] = 2 * normal()
  for (let d = 0; d < 40; d++) {
    const weight = normal()
    if (d < 3) signal[row] += weight
    for (let c = 0; c < columns; c++) values[at + c] += weight * directions[d * columns + c]
  }
}
const table = { values, rows, columns }
const noisy = signal.map((s) => s + normal())
const order = [...noisy.keys()].sort((a, b) => noisy[a] - noisy[b])
const fifth = new Float64Array(rows)
for (const [rank, row] of order.entries()) fifth[row] = Math.floor((rank * classes) / rows)
const time = noisy.map((s) => Math.ceil(1000 * Math.exp(-s / 2) * -Math.log(1 - next())))
const event = Uint8Array.from(time, () => (next() < 0.6 ? 1 : 0))
const eventTimes = [...new Set(time.filter((_, i) => event[i]))].sort((a, b) => a - b)
const grid = Float64Array.from(
  { length: 50 },
  (_, i) => eventTimes[Math.floor(((i + 1) * eventTimes.length) / 51)],
)

const goals: Record<string, { goal: Goal; stratum: Uint32Array }> = {
  logistic: {
    goal: { kind: "logistic", target: noisy.map((s) => Number(s > 0)), outputs: 1 },
    stratum: Uint32Array.from(noisy, (s) => Number(s > 0)),
  },
  [`softmax, ${classes} classes`]: {
    goal: { kind: "softmax", target: fifth, outputs: classes },
    stratum: Uint32Array.from(fifth),
  },
  ridge: { goal: { kind: "ridge", target: noisy, outputs: 1 }, stratum: Uint32Array.from(fifth) },
  cox: {
    goal: { kind: "cox", target: time, event, grid, outputs: 1 + grid.length },
    stratum: Uint32Array.from(event),
  },
}

const program = `
import json, sys, time, numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
folder, n, c, penalty = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
x = np.fromfile(folder + "/x", np.float32).reshape(n, c).astype(np.float64)
y = np.fromfile(folder + "/y").reshape(3, n)
out = {}
for name, target in (("logistic", y[0]), ("softmax", y[1])):
    began = time.perf_counter()
    z = (x - x.mean(0)) / x.std(0)
    model = LogisticRegression(C=1 / penalty, tol=1e-7, max_iter=5000).fit(z, target)
    seconds = time.perf_counter() - began
    p = model.predict_proba(z)[np.arange(n), target.astype(int)]
    out[name] = {"seconds": seconds, "objective": float((-np.log(p).sum() + penalty / 2 * (model.coef_ ** 2).sum()) / n)}
began = time.perf_counter()
Ridge(alpha=penalty).fit((x - x.mean(0)) / x.std(0), y[2])
out["ridge"] = {"seconds": time.perf_counter() - began}
print(json.dumps(out))
`

const all = Uint32Array.from({ length: rows }, (_, i) => i)
const sklearn = scikitLearn()
const report: Record<string, Record<string, number | string>> = {}
for (const [name, { goal, stratum }] of Object.entries(goals)) {
  const problem: Problem = { ...goal, table }
  let began = performance.now()
  const [head] = fitHeads(problem, all, [penalty])
  const fit = (performance.now() - began) / 1000
  const study: Study = { ...problem, group: all, stratum }
  began = performance.now()
  learn(study, all, { kind: "linear", penalty }, 0)
  const learned = (performance.now() - began) / 1000
  began = performance.now()
  const workers = workersFor(table, 6)
  const { metrics, nearest } = await evaluate(study, {
    folds: 5,
    seed: 0,
    method: { kind: "linear" },
    workers,
  })
  await workers.close()
  const nested = (performance.now() - began) / 1000
  const theirs = sklearn?.[goal.kind]
  report[name] = {
    "fit s": +fit.toFixed(2),
    converged: String(head.converged),
    ...(theirs ? { "scikit-learn s": +theirs.seconds.toFixed(2) } : {}),
    ...(theirs?.objective
      ? { "objective − theirs": (objective(problem, head) - theirs.objective).toExponential(1) }
      : {}),
    // Of classes: three inner folds more, by whose held-out scores the probabilities are calibrated.
    "fit and calibration s": +learned.toFixed(2),
    "nested evaluation s": +nested.toFixed(1),
    [metrics[0].name]: +metrics[0].value.toFixed(3),
    nearest: +nearest[0].value.toFixed(3),
  }
}
console.log(`${rows} × ${columns}, λ = ${penalty}`)
for (const [name, line] of Object.entries(report)) console.log(name.padEnd(20), JSON.stringify(line))

/** Mean log-loss and its share of the penalty. */
function objective(problem: Problem, head: LinearHead): number {
  let loss = (penalty / 2) * head.weights.reduce((sum, w) => sum + w * w, 0)
  for (const row of all) {
    const p = applyHead(head, rowOf(problem, row))
    const truth = problem.target[row]
    loss -= Math.log(problem.kind === "logistic" ? (truth ? p[0] : 1 - p[0]) : p[truth])
  }
  return loss / rows
}

function scikitLearn(): Record<string, { seconds: number; objective?: number }> | undefined {
  if (spawnSync("python3", ["-c", "import sklearn"]).status !== 0) {
    console.log("scikit-learn is not on PATH's python3: ours alone")
    return undefined
  }
  const folder = mkdtempSync(join(tmpdir(), "voxkin-probes-"))
  try {
    writeFileSync(join(folder, "x"), new Uint8Array(values.buffer))
    writeFileSync(
      join(folder, "y"),
      new Uint8Array(Float64Array.from([...goals.logistic.goal.target, ...fifth, ...noisy]).buffer),
    )
    const said = spawnSync(
      "python3",
      ["-c", program, folder, String(rows), String(columns), String(penalty)],
      { encoding: "utf8" },
    )
    if (said.status !== 0) throw new Error(said.stderr)
    return JSON.parse(said.stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
