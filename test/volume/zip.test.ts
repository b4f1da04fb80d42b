import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { limits } from "#shared/volume/volume.ts"
import { extractZip } from "#shared/volume/zip.ts"
import { type ZipEntry, zipOf } from "./zip-writer.ts"

const some = Buffer.from("some bytes")

describe("extractZip", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "voxkin-test-"))
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function extract(entries: ZipEntry[] | Buffer, most?: typeof limits): Promise<string> {
    const zip = join(folder, "a.zip")
    await writeFile(zip, Buffer.isBuffer(entries) ? entries : zipOf(entries))
    const into = await mkdtemp(join(folder, "into-"))
    await extractZip(zip, into, most)
    return into
  }

  test("gives each entry its place", async () => {
    const into = await extract([
      { name: "a/", bytes: Buffer.alloc(0) },
      { name: "a/b/c.dcm", bytes: some },
      { name: "d", bytes: Buffer.alloc(0) },
    ])
    expect(await readFile(join(into, "a/b/c.dcm"))).toEqual(some)
    expect((await stat(join(into, "d"))).size).toBe(0)
  })

  test.each(["../evil", "a/../../evil", "/evil", "a\\..\\..\\evil", "C:/evil"])(
    "refuses the entry %s",
    async (name) => {
      await expect(extract([{ name, bytes: some }])).rejects.toMatchObject({ code: "unsafe-zip" })
      expect(await readdir(folder)).toHaveLength(2)
    },
  )

  test("refuses an entry that is another one's folder, or the same file again", async () => {
    const twice = ["a", "a"].map((name) => ({ name, bytes: some }))
    await expect(extract(twice)).rejects.toMatchObject({ code: "damaged-zip" })
    const within = ["a", "a/b"].map((name) => ({ name, bytes: some }))
    await expect(extract(within)).rejects.toMatchObject({ code: "damaged-zip" })
  })

  test("refuses encrypted entries", async () => {
    const entry = { name: "a", bytes: some, encrypted: true }
    await expect(extract([entry])).rejects.toMatchObject({ code: "encrypted-zip" })
  })

  test("stops at a bomb, long before its end", async () => {
    // 150 MB of zeros in 150 kB; four of them are never reached.
    const zeros = Buffer.alloc(150e6)
    const entries = ["a", "b", "c", "d"].map((name) => ({ name, bytes: zeros }))
    await expect(extract(entries)).rejects.toMatchObject({ kind: "too_large", code: "zip-bomb" })
    const into = (await readdir(folder)).find((name) => name.startsWith("into-")) ?? ""
    const files = await readdir(join(folder, into))
    expect(files).toEqual(["a"])
    expect((await stat(join(folder, into, "a"))).size).toBeLessThanOrEqual(100e6)
  })

  test("stops at the limit on what all entries expand to", async () => {
    const most = { ...limits, expandedBytes: 15 }
    await expect(extract([{ name: "a", bytes: some }], most as typeof limits)).resolves.toBeTruthy()
    const two = ["a", "b"].map((name) => ({ name, bytes: some }))
    await expect(extract(two, most as typeof limits)).rejects.toMatchObject({ code: "zip-bomb" })
  })

  test("counts what comes out, not what is claimed", async () => {
    const liar = [{ name: "a", bytes: Buffer.alloc(1000, 7), claimed: 10 }]
    await expect(extract(liar)).rejects.toMatchObject({ code: "damaged-zip" })
  })

  test("refuses too many entries, and a cut zip", async () => {
    const two = ["a", "b"].map((name) => ({ name, bytes: some }))
    const most = { ...limits, zipEntries: 1 }
    await expect(extract(two, most as typeof limits)).rejects.toMatchObject({ code: "too-many-entries" })
    await expect(extract(zipOf(two).subarray(0, -10))).rejects.toMatchObject({ code: "damaged-zip" })
  })
})
