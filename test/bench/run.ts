import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { buildSync } from "esbuild"

/** `npm run bench [-- NAME [ARGUMENT…]]`: every benchmark in this folder one after the other, or the one named. */
const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== basename(import.meta.filename))
  .map((file) => basename(file, ".ts"))
const [asked, ...given] = process.argv.slice(2)
if (asked !== undefined && !all.includes(asked)) {
  console.error(`no benchmark ${asked}; there are: ${all.join(", ")}`)
  process.exit(2)
}

/** These count microseconds, some of which tsx would add: it names every closure anew. */
const asDeployed = ["exact", "exact-hnsw"]

process.argv.splice(2, Number.POSITIVE_INFINITY, ...given)
for (const name of asked === undefined ? all : [asked]) {
  console.log(`\n── ${name}`)
  if (asDeployed.includes(name)) runBundled(name)
  else await import(`./${name}.ts`)
}

/** Runs a benchmark as a function is deployed: in one file, with the kernels beside it. */
function runBundled(name: string): void {
  const root = resolve(import.meta.dirname, "../..")
  const folder = mkdtempSync(join(root, "node_modules", ".bench-")) // from here packages are found
  try {
    buildSync({
      entryPoints: [join(import.meta.dirname, `${name}.ts`)],
      outfile: join(folder, "bench.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      logLevel: "error",
    })
    cpSync(join(root, "shared/kernel"), folder, { recursive: true, filter: (path) => !path.endsWith("ts") })
    execFileSync(process.execPath, [join(folder, "bench.mjs"), ...given], { stdio: "inherit" })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
