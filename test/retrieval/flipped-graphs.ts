import { Fault } from "#shared/errors.ts"
import { buildHnsw, openHnsw } from "#shared/retrieval/hnsw.ts"
import { random, unitVectors } from "./random.ts"

/** Run as a child: opens and searches one graph with a different bit flipped each time. */
const dim = 4
const vectors = unitVectors({ count: 200, dim })
const graph = await buildHnsw({ dim, vectors, m: 4, efConstruction: 20 })
const next = random(3)
const flips = 1500
let refused = 0
for (let i = 0; i < flips; i++) {
  // Every bit of the header, then bits anywhere.
  const bit = i < 768 ? i : Math.floor(next() * graph.length * 8)
  const flipped = Uint8Array.from(graph)
  flipped[bit >> 3] ^= 1 << (bit & 7)
  try {
    const index = await openHnsw(flipped, { dim, vectors })
    for (let row = 0; row < 200; row += 20) {
      await index.search(vectors.subarray(row * dim, (row + 1) * dim), { k: 200, ef: 200 })
    }
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "bad-graph")) throw thrown
    refused++
  }
}
process.stdout.write(JSON.stringify({ flips, refused }))
