#!/usr/bin/env node
import "./setup/node-version.mjs"

/** The `voxkin` command: cli.ts under tsx, in this process. */
let tsx
try {
  tsx = await import("tsx/esm/api")
} catch (thrown) {
  if (thrown.code !== "ERR_MODULE_NOT_FOUND") throw thrown
  process.stderr.write(
    "voxkin's packages are not installed: run `npm start` or `npm ci` in its folder first.\n",
  )
  process.exit(2)
}
tsx.register()
await import("./cli.ts")
