import * as z from "zod"
import { Fault } from "#shared/errors.ts"
import { SeriesId } from "#shared/ids.ts"
import { applyHead, type Head } from "./head/head.ts"
import { answerOf, type Known, survivalOf, weightsOf } from "./head/known.ts"
import { survivalAt } from "./head/linear.ts"
import { type NeighborHead, neighborsOf } from "./head/neighbors.ts"
import type { Nearest } from "./math/nearest.ts"
import { valueAt } from "./math/steps.ts"
import type { ProbeRecord } from "./record.ts"

/** As many neighbors are told of at most: all answer, but who would read more. */
const mostTold = 100

const Neighbor = z.object({
  series: SeriesId,
  /** Euclidean, on standardised features. */
  distance: z.number(),
  /** The share that it has in the answer: those of all neighbors add up to 1. */
  weight: z.number(),
  /** What is known of it: its class, its value, or its time and whether that is the event's. */
  label: z.string().optional(),
  value: z.number().optional(),
  time: z.number().optional(),
  event: z.boolean().optional(),
})

/** Of a knn probe the evidence: the nearest 100 of the neighbors that answered, nearest first. */
export const Neighbors = z.array(Neighbor).optional()
export type Neighbor = z.infer<typeof Neighbor>

interface Told {
  /** As `applyHead` gives it. */
  output: Float64Array
  /** Of a survival probe, the probability of no event up to and at a time. */
  alive: (time: number) => number
  evidence: { neighbors?: Neighbor[] }
}

/**
 * What a probe's head says of a row of numbers, and on what evidence.
 * @param series whose numbers they are: where it is one of the training series it is no neighbor of its own
 */
export function told(
  { record, head }: { record: ProbeRecord; head: Head },
  x: Float32Array,
  series: string,
): Told {
  const wrongHead = () => {
    const message = `${record.name} is a survival probe with a head of another kind: fit it again`
    return new Fault("unavailable", "corrupt-probe", message)
  }
  if (head.kind !== "knn") {
    const output = applyHead(head, x)
    const alive = (time: number) => {
      if (head.kind !== "cox") throw wrongHead()
      return survivalAt(head.logHazard, output[0], time)
    }
    return { output, alive, evidence: {} }
  }
  const { known } = head
  const near = neighborsOf(head, x, series)
  const curve = known.of === "time" ? survivalOf(known, near) : undefined
  const alive = (time: number) => {
    if (!curve) throw wrongHead()
    return valueAt(curve, time)
  }
  return { output: answerOf(known, near), alive, evidence: { neighbors: evidenceOf(record, head, near) } }
}

function evidenceOf(record: ProbeRecord, { known, series }: NeighborHead, near: Nearest): Neighbor[] {
  const weights = weightsOf(near)
  const total = weights.reduce((sum, w) => sum + w, 0)
  return Array.from(near.rows.subarray(0, mostTold), (row, i) => ({
    series: series[row],
    distance: near.distances[i],
    weight: weights[i] / total,
    ...labelOf(record, known, row),
  }))
}

function labelOf(record: ProbeRecord, known: Known, row: number): Partial<Neighbor> {
  const target = known.target[row]
  if (known.of === "time") return { time: target, event: known.event[row] === 1 }
  return record.task === "classification" ? { label: record.classes[target].name } : { value: target }
}
