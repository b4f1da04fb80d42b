import { isUnreadable } from "#shared/cohort/bounded.ts"
import type { ProbeChange } from "#shared/cohort/encoder-change.ts"
import { listMembers, type Member } from "#shared/cohort/members.ts"
import { listPredictions } from "#shared/cohort/predictions.ts"
import { Fault } from "#shared/errors.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { methodOf, targetOf } from "./as-asked.ts"
import { crossValidate, outerFolds } from "./measure/evaluate.ts"
import { mainOf, measured, metricsOf } from "./measure/score.ts"
import { workersFor } from "./measure/threads.ts"
import { listProbes } from "./predict.ts"
import type { ProbeRecord } from "./record.ts"
import { type Inputs, pickInputs, type ReadInputs, readInputs } from "./study/inputs.ts"
import { readStudy } from "./study/study.ts"

export interface Comparison {
  cohort: string
  from: string
  to: string
  onProgress?: (progress: { done: number; total: number; message: string }) => void
}

/**
 * How the probes that answer for a cohort under one encoder would do under another: those fitted on it, and those whose
 * predictions it holds. Each is fitted anew under both, as it was asked for, on today's labels of the series of its
 * training cohort that have features under both, in the same folds. Nothing is kept.
 */
export async function compareEncoders(objects: ObjectStore, comparison: Comparison): Promise<ProbeChange[]> {
  const { cohort, from, onProgress } = comparison
  const said = new Set((await listPredictions(objects, cohort)).map(({ probe }) => probe))
  // A damaged probe answers nobody, so there is nothing to lose.
  const probes = (await listProbes(objects, () => {}))
    .filter(
      ({ name, training, encoder }) => encoder.id === from && (training.cohort === cohort || said.has(name)),
    )
    .sort((a, b) => (source(a) < source(b) ? -1 : Number(source(a) > source(b))))
  const read = reader(objects, comparison)
  const changes: ProbeChange[] = []
  for (const [done, probe] of probes.entries()) {
    onProgress?.({ done, total: probes.length, message: `comparing probe ${probe.name}` })
    const { name, version } = probe
    try {
      changes.push({ probe: name, version, compared: await compare(objects, probe, await read(probe)) })
    } catch (thrown) {
      // That the store fails is no property of the probe.
      if (!(thrown instanceof Fault) || (thrown.kind === "unavailable" && !isUnreadable(thrown))) throw thrown
      changes.push({ probe: name, version, compared: null, message: thrown.message })
    }
  }
  return changes.sort((a, b) => (a.probe < b.probe ? -1 : 1))
}

/** Which features a probe learns from, but for the encoder. */
function source({ training, pooling }: ProbeRecord): string {
  return `${training.cohort} ${pooling}`
}

interface Read {
  members: Member[]
  /** Reads features under one encoder and the other, of the same series. */
  reads: [ReadInputs, ReadInputs]
}

/** Reads the features under both encoders of the members that have both; those of the latest source stay in memory. */
function reader(objects: ObjectStore, { from, to }: Pick<Comparison, "from" | "to">) {
  let last: (Read & { source: string }) | undefined
  return async (probe: ProbeRecord): Promise<Read> => {
    if (last?.source === source(probe)) return last
    last = undefined
    const { pooling, training } = probe
    const members = await listMembers(objects, training.cohort)
    const series = await underBoth(objects, members, { cohort: training.cohort, from, to })
    const picking =
      (all: Inputs): ReadInputs =>
      async (_objects, _encoder, some) =>
        pickInputs(all, series, some)
    const one = picking(await readInputs(objects, from, series, pooling))
    const other = picking(await readInputs(objects, to, series, pooling))
    last = { source: source(probe), members, reads: [one, other] }
    return last
  }
}

async function underBoth(
  objects: ObjectStore,
  members: Member[],
  { cohort, from, to }: Comparison,
): Promise<string[]> {
  const [one, other] = [
    new Set(await objects.list(keys.featuresOf(from))),
    new Set(await objects.list(keys.featuresOf(to))),
  ]
  const shared = members
    .map(({ series }) => series)
    .filter((series) => one.has(keys.features(from, series)) && other.has(keys.features(to, series)))
  if (shared.length > 0) return shared
  const message = `no series of ${cohort} has features under both ${from} and ${to}: embed some under the one that they lack`
  throw new Fault("invalid", "no-features", message)
}

async function compare(objects: ObjectStore, probe: ProbeRecord, { members, reads }: Read) {
  const { cohort, folds, seed } = probe.training
  const [one, other] = await Promise.all(
    reads.map(async (read) => {
      const { study } = await readStudy(objects, {
        cohort,
        target: targetOf(probe),
        pooling: probe.pooling,
        members,
        read,
      })
      const workers = workersFor(study.table, folds)
      const dealt = outerFolds(study, { folds, seed })
      const { outOfFold } = await crossValidate(study, dealt, {
        seed,
        method: methodOf(probe),
        workers,
      }).finally(workers.close)
      return { study, metrics: metricsOf(study, outOfFold) }
    }),
  )
  const { name: metric } = mainOf(Object.keys(one.metrics).map((name) => ({ name })))
  const [before, after] = [one.metrics[metric], other.metrics[metric]]
  if (!Number.isFinite(before()) || !Number.isFinite(after())) {
    const message = `the ${metric} of probe ${probe.name} is not defined on the series with features under both encoders: label more`
    throw new Fault("invalid", "not-defined", message)
  }
  const difference = (weight?: Float64Array) => after(weight) - before(weight)
  const [{ low, high }] = measured({ difference }, one.study.group, seed)
  return { metric, series: one.study.table.rows, before: before(), after: after(), low, high }
}
