import { mkdtempSync, rmSync } from "node:fs"
import { register } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { diskStore } from "#shared/store/disk.ts"

/** Run as a child in which hnswlib-node cannot be found, as on a machine without a compiler. */
const hook = `export const resolve = (name, context, next) => {
  if (name === "hnswlib-node") throw new Error("Cannot find package 'hnswlib-node'")
  return next(name, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)

const { buildHnsw, hnswAvailable } = await import("#shared/retrieval/hnsw.ts")
const { openSnapshot } = await import("#shared/retrieval/open.ts")
const { publish } = await import("#shared/retrieval/publish.ts")
const { search } = await import("#shared/retrieval/search.ts")
const { storeCohort, viewOf } = await import("./made.ts")

const folder = mkdtempSync(join(tmpdir(), "voxkin-test-"))
try {
  const objects = diskStore(folder)
  // Vectors that turn away from the first, one by one.
  const vectors = Float32Array.from({ length: 16 }, (_, i) =>
    i % 2 === 0 ? Math.cos(i / 20) : Math.sin((i - 1) / 20),
  )
  await storeCohort(objects, { cohort: "c", dim: 2, vectors })
  const { engine, recallAt10, count, promoted } = await publish(objects, { cohort: "c", now: new Date() })
  const snapshot = await openSnapshot(objects, "c")
  const request = { cohort: "c", query: { series: snapshot.rows.series(0) }, k: 2 }
  const { plan, neighbors } = await search(objects, viewOf(snapshot), request)
  const refused = await buildHnsw({ dim: 2, vectors }).then(
    () => "built",
    (thrown) => thrown.code,
  )
  const ids = neighbors.map(({ id }) => Number(id.slice(2)))
  const published = { engine, recallAt10, count, promoted }
  process.stdout.write(JSON.stringify({ ...(await hnswAvailable()), published, plan, ids, refused }))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
