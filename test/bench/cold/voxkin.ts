/** `voxkin.ts DATA`: opens the store's cohort, answers the query, and says when and with how much memory. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { liveViews, withView } from "#shared/retrieval/live.ts"
import { search } from "#shared/retrieval/search.ts"
import { diskStore } from "#shared/store/disk.ts"

const [data] = process.argv.slice(2)
const objects = diskStore(join(data, "objects"))
const vector = JSON.parse(readFileSync(join(data, "query.json"), "utf8"))
const answer = await withView(liveViews(objects), "bench", (view) =>
  search(objects, view, { cohort: "bench", query: { vector }, k: 10 }),
)
const rows = answer.neighbors.map(({ id }) => Number.parseInt(id.slice(2), 16))
// Since the process started.
const ms = performance.now()
// Not `maxRSS`: a process inherits that from the one that started it.
const peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1])
console.log(JSON.stringify({ ms, peakKb, rows }))
