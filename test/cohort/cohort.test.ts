import { expect, test } from "vitest"
import { createCohort, deleteCohort, findCohort, getCohort, listCohorts } from "#shared/cohort/cohort.ts"
import { addMember } from "#shared/cohort/members.ts"
import { keys } from "#shared/store/keys.ts"
import { encoder, now, scratchStore, seriesNo } from "./scratch.ts"

const other = "other-ba9876543210"

test("made twice with one encoder, it is one cohort", async () => {
  const objects = scratchStore()
  const made = await createCohort(objects, "lungs", encoder, now)
  expect(made).toEqual({ cohort: "lungs", encoder, createdAt: now.toISOString() })
  expect(await createCohort(objects, "lungs", encoder, new Date())).toEqual(made)
  expect(await getCohort(objects, "lungs")).toEqual(made)
})

test("refuses another encoder, and names both", async () => {
  const objects = scratchStore()
  await createCohort(objects, "lungs", encoder, now)
  const refused = createCohort(objects, "lungs", other, now)
  await expect(refused).rejects.toMatchObject({ kind: "conflict", code: "wrong-encoder" })
  await expect(refused).rejects.toThrow(new RegExp(`${encoder}.*${other}`))
})

test("made by many at once, all get the first; of two encoders one wins", async () => {
  const objects = scratchStore()
  const made = await Promise.all(
    Array.from({ length: 8 }, (_, i) => createCohort(objects, "same", encoder, new Date(i))),
  )
  expect(new Set(made.map(({ createdAt }) => createdAt)).size).toBe(1)
  const two = await Promise.allSettled([encoder, other].map((id) => createCohort(objects, "two", id, now)))
  expect(two.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
})

test("one that is not there: undefined to find, a fault to get or delete", async () => {
  const objects = scratchStore()
  expect(await findCohort(objects, "none")).toBeUndefined()
  const missing = { kind: "missing", code: "no-such-cohort" }
  await expect(getCohort(objects, "none")).rejects.toMatchObject(missing)
  await expect(deleteCohort(objects, "none")).rejects.toMatchObject(missing)
})

test("lists cohorts by name, whatever lies beside them", async () => {
  const objects = scratchStore()
  expect(await listCohorts(objects)).toEqual([])
  for (const name of ["b", "a", "a.b"]) await createCohort(objects, name, encoder, now)
  await addMember(objects, "a", { series: seriesNo(1), source: "x" }, now)
  expect((await listCohorts(objects)).map(({ cohort }) => cohort)).toEqual(["a", "a.b", "b"])
})

test("deleting takes all that is the cohort's, and nothing else", async () => {
  const objects = scratchStore()
  for (const name of ["a", "a.b"]) {
    await createCohort(objects, name, encoder, now)
    await addMember(objects, name, { series: seriesNo(1), source: "x" }, now)
    await objects.put(keys.deleted(name, seriesNo(2)), new Uint8Array())
    await objects.put(keys.current(name), new Uint8Array())
    await objects.put(keys.snapshotPart(name, encoder, "one", "rows.bin"), new Uint8Array())
  }
  const features = keys.features(encoder, seriesNo(1))
  await objects.put(features, new Uint8Array())
  const kept = (await objects.list("")).filter((key) => key === features || key.includes("/a.b/"))
  await deleteCohort(objects, "a")
  expect(await objects.list("")).toEqual(kept)
})
