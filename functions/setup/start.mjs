/** `npm start`: what is missing is installed, then start.ts runs in this same process. */
import "./node-version.mjs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { ensurePackages } from "./packages.mjs"

const root = resolve(fileURLToPath(import.meta.url), "../../..")
try {
  await ensurePackages(root, join(root, ".setup/npm-ci.log"))
} catch (thrown) {
  process.stderr.write(`${thrown.message}\n`)
  process.exit(1)
}
const { register } = await import("tsx/esm/api")
register()
await import("../start.ts")
