// `plain.mjs DATA DIM K`: what a Node program does that knows hnswlib-node alone.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import hnswlib from "hnswlib-node"

const [data, dim, k] = process.argv.slice(2)
const index = new hnswlib.HierarchicalNSW("ip", Number(dim))
index.readIndexSync(join(data, "graph.hnsw"))
index.setEf(64)
const rows = index.searchKnn(JSON.parse(readFileSync(join(data, "query.json"), "utf8")), Number(k)).neighbors
// Since the process started.
const ms = performance.now()
// Not `maxRSS`: a process inherits that from the one that started it.
const peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1])
console.log(JSON.stringify({ ms, peakKb, rows }))
