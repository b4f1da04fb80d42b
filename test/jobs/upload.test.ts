import { randomBytes } from "node:crypto"
import { expect, test } from "vitest"
import { deleteUpload, jobsWithUpload, keepUpload, readUpload } from "#shared/jobs/upload.ts"
import { scratchStore } from "#test/cohort/scratch.ts"

const mebi = 2 ** 20

test("an upload is kept in parts of 8 MiB as it arrives, and comes back as it was", async () => {
  const objects = scratchStore()
  const bytes = randomBytes(20 * mebi + 3)
  const cuts = [0, 1, 8 * mebi, 8 * mebi + 1, 17 * mebi, bytes.length]
  const pieces = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))

  expect(await keepUpload(objects, "j-1", pieces)).toBe(bytes.length)
  expect(await keepUpload(objects, "j-10", [Uint8Array.of(7)])).toBe(1)
  const parts: Uint8Array[] = []
  for await (const part of readUpload(objects, "j-1")) parts.push(part)
  expect(parts.map((part) => part.length)).toEqual([8 * mebi, 8 * mebi, 4 * mebi + 3])
  expect(Buffer.concat(parts).equals(bytes)).toBe(true)

  expect(await jobsWithUpload(objects)).toEqual(["j-1", "j-10"])
  await deleteUpload(objects, "j-1")
  expect(await jobsWithUpload(objects)).toEqual(["j-10"])
  await expect(readUpload(objects, "j-1").next()).rejects.toMatchObject({ code: "no-upload" })
})

test("a whole number of parts has no empty one at its end, and nothing is no part", async () => {
  const objects = scratchStore()
  expect(await keepUpload(objects, "j-1", [new Uint8Array(8 * mebi)])).toBe(8 * mebi)
  expect(await objects.list("uploads/")).toEqual(["uploads/j-1/00000"])
  expect(await keepUpload(objects, "j-2", [new Uint8Array(0)])).toBe(0)
  expect(await jobsWithUpload(objects)).toEqual(["j-1"])
})
