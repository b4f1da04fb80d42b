import { describe, expect, test } from "vitest"
import { createCohort } from "#shared/cohort/cohort.ts"
import { deletedSeries } from "#shared/cohort/deletions.ts"
import {
  addMember,
  deleteMember,
  deleteSeries,
  getMember,
  listMembers,
  Member,
  memberSeries,
  updateMember,
  whereIs,
} from "#shared/cohort/members.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, scratchStore, seriesNo } from "./scratch.ts"

const [one, two] = [seriesNo(1), seriesNo(2)]

test("added again, a member keeps what is known of it; the latest source and values win", async () => {
  const objects = scratchStore()
  await addMember(
    objects,
    "c",
    { series: one, source: "old", metadata: { age: 50, sex: "F" }, labels: { ich: true } },
    now,
  )
  const again = { series: one, source: "new", metadata: { age: 51, site: null } }
  await addMember(objects, "c", again, new Date())
  expect(await getMember(objects, "c", one)).toEqual({
    series: one,
    source: "new",
    metadata: { age: 51, sex: "F", site: null },
    labels: { ich: true },
    addedAt: now.toISOString(),
  })
})

test("added by several at once, nobody's metadata is lost", async () => {
  const objects = scratchStore()
  const columns = ["a", "b", "c", "d"]
  await Promise.all(
    columns.map((name) =>
      addMember(objects, "c", { series: one, source: "s", metadata: { [name]: 1 } }, now),
    ),
  )
  expect((await getMember(objects, "c", one))?.metadata).toEqual({ a: 1, b: 1, c: 1, d: 1 })
})

test("lists members by id", async () => {
  const objects = scratchStore()
  expect(await listMembers(objects, "c")).toEqual([])
  for (const n of [30, 4, 17]) await addMember(objects, "c", { series: seriesNo(n), source: `${n}` }, now)
  expect((await listMembers(objects, "c")).map(({ source }) => source)).toEqual(["4", "17", "30"])
  expect(await memberSeries(objects, "c")).toEqual([4, 17, 30].map(seriesNo))
  expect(await getMember(objects, "c", one)).toBeUndefined()
})

test("listing many never opens more than a few at once", async () => {
  const objects = scratchStore()
  for (let n = 0; n < 100; n++) await addMember(objects, "c", { series: seriesNo(n), source: "s" }, now)
  let open = 0
  let most = 0
  const watched: ObjectStore = {
    ...objects,
    async get(key, range) {
      most = Math.max(most, ++open)
      const found = await objects.get(key, range)
      open--
      return found
    },
  }
  expect(await listMembers(watched, "c")).toHaveLength(100)
  expect(most).toBeLessThanOrEqual(32)
})

test("a deleted member leaves a marker, and coming back takes it away", async () => {
  const objects = scratchStore()
  await addMember(objects, "c", { series: one, source: "s" }, now)
  const member = (await getMember(objects, "c", one))!
  await deleteMember(objects, "c", one)
  expect(await getMember(objects, "c", one)).toBeUndefined()
  expect(await deletedSeries(objects, "c")).toEqual(new Set([one]))
  await addMember(objects, "c", { series: one, source: "s" }, now)
  expect(await deletedSeries(objects, "c")).toEqual(new Set())
  expect(await getMember(objects, "c", one)).toEqual(member)
})

test("described by several at once, a member keeps what each said of it", async () => {
  const objects = scratchStore()
  await addMember(objects, "c", { series: one, source: "s", metadata: { old: 1 }, labels: { old: 1 } }, now)
  await Promise.all([
    updateMember(objects, "c", one, { metadata: { age: 50 } }),
    updateMember(objects, "c", one, { labels: { ich: true } }),
  ])
  const { metadata, labels } = (await getMember(objects, "c", one))!
  expect([metadata, labels]).toEqual([{ age: 50 }, { ich: true }])
})

test("describing a member while it is deleted does not bring it back", async () => {
  const objects = scratchStore()
  await addMember(objects, "c", { series: one, source: "s" }, now)
  const slow: ObjectStore = {
    ...objects,
    async put(...args) {
      await deleteMember(objects, "c", one)
      return objects.put(...args)
    },
  }
  expect(await updateMember(slow, "c", one, { labels: { ich: true } })).toBeUndefined()
  expect(await getMember(objects, "c", one)).toBeUndefined()
  expect(await deletedSeries(objects, "c")).toEqual(new Set([one]))
})

test("deleting a series takes it out of every cohort and every encoder's features", async () => {
  const objects = scratchStore()
  const other = "other-ba9876543210"
  for (const [cohort, id] of [
    ["a", encoder],
    ["b", other],
    ["c", encoder],
  ])
    await createCohort(objects, cohort, id, now)
  for (const cohort of ["a", "b"]) await addMember(objects, cohort, { series: one, source: "s" }, now)
  await addMember(objects, "a", { series: two, source: "s" }, now)
  for (const id of [encoder, other]) await objects.put(keys.features(id, one), new Uint8Array(1))
  await objects.put(keys.features(encoder, two), new Uint8Array(1))

  expect(await whereIs(objects, one)).toEqual({ cohorts: ["a", "b"], encoders: [encoder, other] })
  expect(await deleteSeries(objects, one)).toBe(true)
  expect(await whereIs(objects, one)).toEqual({ cohorts: [], encoders: [] })
  expect(await whereIs(objects, two)).toEqual({ cohorts: ["a"], encoders: [encoder] })
  expect(await Promise.all(["a", "b", "c"].map((cohort) => deletedSeries(objects, cohort)))).toEqual([
    new Set([one]),
    new Set([one]),
    new Set(),
  ])
  expect(await deleteSeries(objects, one)).toBe(false)
})

describe("columns", () => {
  const member = { series: one, source: "s", labels: {}, addedAt: now.toISOString() }
  test.each([
    ["an age", { age: 61.5 }, true],
    ["a name with spaces", { "slice thickness": 1 }, true],
    ["nothing known", { age: null }, true],
    ["an empty name", { "": 1 }, false],
    ["a name with outer space", { " a": 1 }, false],
    ["a line break in a name", { "a\nb": 1 }, false],
    ["a nested value", { a: { b: 1 } }, false],
    ["an infinite number", { a: Number.POSITIVE_INFINITY }, false],
    ["a very long name", { ["a".repeat(101)]: 1 }, false],
  ])("%s", (_, metadata, good) => {
    expect(Member.safeParse({ ...member, metadata }).success).toBe(good)
  })
})
