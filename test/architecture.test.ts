import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { describe, expect, test } from "vitest"

const root = resolve(import.meta.dirname, "..")

/** Inside `shared/` an import may only point to the same folder or to one further left. */
const order = [
  ["errors.ts", "ids.ts", "vector.ts"],
  ["kernel"],
  ["exact"],
  ["store"],
  ["volume"],
  ["preprocess"],
  ["encoder"],
  ["features"],
  ["cohort"],
  ["retrieval", "probe"],
  ["jobs"],
]
const rank = (place: string) => order.findIndex((places) => places.includes(place))

/** One package, one place. A file, or a folder that ends in a slash. */
const owners: Record<string, string[]> = {
  "@aws-sdk/client-s3": ["shared/store/s3.ts"],
  "@aws-sdk/client-batch": ["shared/jobs/batch.ts"],
  "onnxruntime-node": ["shared/encoder/onnx.ts", "shared/encoder/onnx-worker.mjs"],
  "hnswlib-node": ["shared/retrieval/hnsw.ts"],
  "@cornerstonejs/": ["shared/volume/"],
  "jpeg-lossless-decoder-js": ["shared/volume/"],
  yauzl: ["shared/volume/"],
  hono: ["functions/"],
  "@hono/": ["functions/"],
  commander: ["functions/"],
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.m?[tj]s$/.test(file) && !/\.d\.m?ts$/.test(file))
    .map((file) => join(folder, file))
}

interface Import {
  target: string
  /** `import type` and `import { type … }` vanish before the program runs. */
  typeOnly: boolean
  dynamic: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8")
  const found: Import[] = []
  for (const m of text.matchAll(
    /^(?:import|export)\s(type\s)?[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm,
  )) {
    found.push({ target: m[2] ?? m[3], typeOnly: m[1] !== undefined, dynamic: false })
  }
  for (const m of text.matchAll(/(?<!typeof )\bimport\("([^"]+)"\)/g)) {
    found.push({ target: m[1], typeOnly: false, dynamic: true })
  }
  return found.map((i) => ({ ...i, target: local(file, i.target) }))
}

function local(from: string, target: string): string {
  if (target.startsWith("#")) return target.slice(1)
  if (target.startsWith(".")) return relative(root, resolve(root, dirname(from), target))
  return target
}

const files = [...sources("shared"), ...sources("functions")]
const graph = new Map(files.map((file) => [file, importsOf(file)]))

describe("architecture", () => {
  test("shared imports only leftward, and never from functions or tests", () => {
    const wrong: string[] = []
    for (const [file, imports] of graph) {
      if (!file.startsWith("shared/")) continue
      const from = rank(file.split("/")[1])
      expect(from, `${file} lies in a folder without a rank`).toBeGreaterThanOrEqual(0)
      for (const { target } of imports) {
        if (/^(functions|test|infra)\//.test(target)) wrong.push(`${file} → ${target}`)
        if (!target.startsWith("shared/")) continue
        const place = target.split("/")[1]
        const same = place === file.split("/")[1]
        if (!same && !(rank(place) < from) && !(from === 0 && rank(place) === 0))
          wrong.push(`${file} → ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test("each owned package is imported in its own place only", () => {
    const wrong: string[] = []
    for (const [file, imports] of graph) {
      for (const { target } of imports) {
        const owner = Object.keys(owners).find(
          (name) => target === name || target.startsWith(name.endsWith("/") ? name : `${name}/`),
        )
        if (
          owner &&
          !owners[owner].some((place) => file === place || (place.endsWith("/") && file.startsWith(place)))
        ) {
          wrong.push(`${file} → ${target}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  test("no file imports itself through others", () => {
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "))
      else if (!done.has(file)) {
        for (const { target, typeOnly } of graph.get(file) ?? [])
          if (!typeOnly) visit(target, [...path, file])
        done.add(file)
      }
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })

  test("the HTTP functions never load onnxruntime, the volume readers or the codecs, not even transitively", () => {
    const reached = new Set<string>()
    const visit = (file: string) => {
      if (reached.has(file)) return
      reached.add(file)
      for (const { target, typeOnly } of graph.get(file) ?? []) if (!typeOnly) visit(target)
    }
    for (const file of files) if (file.startsWith("functions/api/")) visit(file)
    const heavy = ["onnxruntime-node", "yauzl", "shared/encoder/onnx.ts", "shared/volume/discover.ts"]
    expect([...reached].filter((target) => heavy.includes(target))).toEqual([])
  })

  test("zod is imported by namespace: by name a bundle takes fifty languages along, three times the rest", () => {
    const named = /^import \{ z \} from "zod"/m
    expect(files.filter((file) => named.test(readFileSync(join(root, file), "utf8")))).toEqual([])
  })

  test("no file of ours grows past 250 lines", () => {
    const long = files.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 250)
    expect(long).toEqual([])
  })
})
