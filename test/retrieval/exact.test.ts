import { expect, test } from "vitest"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { vectorIndexContract } from "../contracts/vector-index.ts"
import { bruteForce } from "./brute-force.ts"
import { random, unitVectors } from "./random.ts"

vectorIndexContract("exact", async (built) => exactIndex(built), { recallAt10: 1, rows: "honoured" })

test("any cohort, subset and k gives the same rows as brute force, ties included", async () => {
  const next = random(7)
  const below = (n: number) => Math.floor(next() * n)
  for (let round = 0; round < 200; round++) {
    const dim = 1 + below(9)
    const count = 1 + below(60)
    // Few distinct values: many equal scores.
    const vectors = Float32Array.from({ length: count * dim }, () => below(3) - 1)
    const query = Float32Array.from({ length: dim }, () => below(3) - 1)
    const rows =
      below(2) === 0
        ? undefined
        : Uint32Array.from({ length: count }, (_, row) => row).filter(() => below(2) === 0)
    const k = 1 + below(count + 3)
    const answer = await (await exactIndex({ dim, vectors })).search(query, { k, rows })
    expect(answer.found).toEqual(bruteForce(vectors, query, { k, rows }))
  }
})

test("a row beyond the index is an error, not a NaN", async () => {
  const index = await exactIndex({ dim: 2, vectors: unitVectors({ count: 3, dim: 2 }) })
  await expect(index.search(new Float32Array(2), { k: 1, rows: Uint32Array.of(3) })).rejects.toThrow("row 3")
})
