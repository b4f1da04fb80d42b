import { setImmediate } from "node:timers/promises"
import * as z from "zod"
import { SnapshotId, sha256 } from "#shared/ids.ts"
import { putJson } from "#shared/store/json.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { View } from "./live.ts"
import { SearchAnswer, SearchRequest, search } from "./search.ts"

export const RecallRequest = z.strictObject({
  k: z.int().min(1).max(1000),
  filter: SearchRequest.shape.filter,
  /** How many series are asked for, spread evenly over the snapshot. */
  sample: z.int().min(1).max(200).default(50),
})
export type RecallRequest = z.infer<typeof RecallRequest>

export const Recall = z.object({
  /** Share of the true neighbors that the answers hold; 1 where there are none to find. */
  recall: z.number().min(0).max(1),
  k: z.int(),
  filter: z.string().nullable(),
  /** How many series were asked for, and how many answers came by which plan. */
  queries: z.int(),
  plans: z.partialRecord(SearchAnswer.shape.plan, z.int()),
  snapshot: SnapshotId,
  at: z.iso.datetime(),
})
export type Recall = z.infer<typeof Recall>

/**
 * Recall@k of what a search answers under the caller's own filter, against the same search with `exact` demanded; one
 * as near as the k-th counts as well. The result is kept beside the snapshot's parts, the latest for each question.
 * @throws Fault as `search`
 */
export async function measureRecall(
  objects: ObjectStore,
  view: View,
  { k, filter, sample }: RecallRequest,
  now: Date,
): Promise<Recall> {
  const { manifest, rows } = view.snapshot
  const { cohort, encoder, snapshot } = manifest
  const asked = rows.all().filter((series) => !view.deleted.has(series))
  const queries = Math.min(sample, asked.length)
  const plans: Recall["plans"] = {}
  let wanted = 0
  let found = 0
  for (let q = 0; q < queries; q++) {
    const series = asked[Math.floor((q * asked.length) / queries)]
    const request = { cohort, query: { series }, k, filter }
    const answer = await search(objects, view, request)
    const truth = (await search(objects, view, { ...request, exact: true })).neighbors
    plans[answer.plan] = (plans[answer.plan] ?? 0) + 1
    wanted += truth.length
    // Scores of equals differ by rounding, float32's at most.
    const least = (truth.at(-1)?.score ?? 0) - 1e-6
    found += answer.neighbors.filter(({ score }) => score >= least).length
    await setImmediate()
  }
  const recall = wanted === 0 ? 1 : found / wanted
  const measured = { recall, k, filter: filter ?? null, queries, plans, snapshot, at: now.toISOString() }
  const question = sha256(JSON.stringify([k, filter ?? null, sample])).slice(0, 12)
  await putJson(objects, keys.snapshotPart(cohort, encoder, snapshot, `recall-${question}.json`), measured)
  return measured
}
