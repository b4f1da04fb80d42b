import { expect, test } from "vitest"
import { makeCodes } from "#shared/exact/codes.ts"
import { sha256 } from "#shared/ids.ts"
import { codesParts, readCodesHead } from "#shared/retrieval/codes-part.ts"
import { exactOver, scanOf, scoreIn } from "#shared/retrieval/exact.ts"
import type { Manifest } from "#shared/retrieval/snapshot.ts"
import { storedCodes } from "#shared/retrieval/stored-codes.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, scratchStore } from "../cohort/scratch.ts"
import { bruteForce } from "./brute-force.ts"
import { random, unitVectors } from "./random.ts"

const snapshot = "20250304T050607008Z-01234567"
const rowsKey = keys.snapshotPart("c", encoder, snapshot, "codes.i8")

/** The codes of `vectors` in a store, and a manifest that tells of nothing else. */
async function stored(objects: ObjectStore, { dim, vectors }: { dim: number; vectors: Float32Array }) {
  const { head, rows } = codesParts(await makeCodes({ dim, vectors }))
  await objects.put(keys.snapshotPart("c", encoder, snapshot, "codes.head"), head)
  await objects.put(rowsKey, rows)
  const about = (bytes: Uint8Array) => ({ sha256: sha256(bytes), bytes: bytes.length })
  const manifest: Manifest = {
    format: "voxkin-snapshot-3",
    snapshot,
    cohort: "c",
    encoder,
    pooling: "mean",
    dim,
    metric: "cosine",
    count: vectors.length / dim,
    engine: "exact",
    ef: null,
    m: null,
    efConstruction: null,
    recallAt10: 1,
    createdAt: now.toISOString(),
    parts: { "codes.head": about(head), "codes.i8": about(rows) },
  }
  return { rows, codes: storedCodes(objects, manifest, await readCodesHead(objects, manifest)) }
}

test("scanned while they are read, they answer as brute force does, however many blocks they fill", async () => {
  const next = random(7)
  for (const dim of [5, 40]) {
    // A block has 2048 rows, and three are in memory at once.
    for (const count of [1, 63, 2047, 2048, 2049, 6143, 6144, 6145, 8199, 14_339]) {
      const vectors = unitVectors({ count, dim }, count)
      const { codes } = await stored(scratchStore(), { dim, vectors })
      const index = exactOver({ dim, size: count, scan: codes.scan }, scoreIn(vectors))
      const kept = exactOver(scanOf(await codes.load()), scoreIn(vectors))
      for (const share of [1, 0.5, 0.01, 0]) {
        const rows =
          share === 1
            ? undefined
            : Uint32Array.from({ length: count }, (_, row) => row).filter(() => next() < share)
        const row = Math.floor(next() * count)
        const query = vectors.slice(row * dim, (row + 1) * dim)
        const { found, rescored } = await index.search(query, { k: 10, rows })
        const expected = bruteForce(vectors, query, { k: 10, rows })
        expect(found.map((each) => each.row)).toEqual(expected.map((each) => each.row))
        expect(await kept.search(query, { k: 10, rows })).toEqual({ found, rescored })
      }
    }
  }
})

test("no changed or lost byte of theirs is answered from, wherever it lies", async () => {
  const dim = 40
  const count = 7000
  const vectors = unitVectors({ count, dim })
  const objects = scratchStore()
  const { rows, codes } = await stored(objects, { dim, vectors })
  const query = vectors.slice(0, dim)
  const damaged = { code: "corrupt-snapshot", message: expect.stringContaining("codes.i8") }
  const spoil = async (bytes: Uint8Array) => {
    await objects.put(rowsKey, bytes)
    await expect(codes.scan(query, { k: 3 })).rejects.toMatchObject(damaged)
    await expect(codes.scan(query, { k: 3, rows: Uint32Array.of(1) })).rejects.toMatchObject(damaged)
    await expect(codes.load()).rejects.toMatchObject(damaged)
  }
  for (const at of [0, 777, 48 * 2048 - 1, 48 * 2048, 48 * 6144, 48 * count - 1]) {
    const changed = rows.slice()
    changed[at] ^= 4
    await spoil(changed)
  }
  await spoil(rows.slice(0, -1))
  await objects.delete(rowsKey)
  await expect(codes.scan(query, { k: 3 })).rejects.toMatchObject(damaged)
  await objects.put(rowsKey, rows)
  expect((await codes.scan(query, { k: 1 })).leaders).toEqual(Uint32Array.of(0))
})

test("scans at the same time do not mix", async () => {
  const dim = 24
  const count = 9000
  const vectors = unitVectors({ count, dim })
  const { codes } = await stored(scratchStore(), { dim, vectors })
  const index = exactOver({ dim, size: count, scan: codes.scan }, scoreIn(vectors))
  const asked = Array.from({ length: 12 }, (_, i) => 400 * i)
  const answers = await Promise.all(
    asked.map((row) => index.search(vectors.slice(row * dim, (row + 1) * dim), { k: 1 })),
  )
  expect(answers.map(({ found }) => found[0].row)).toEqual(asked)
})
