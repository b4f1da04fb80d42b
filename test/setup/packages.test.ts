import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { installEnvironment, staleness, thisMachine } from "#functions/setup/packages.mjs"

const machine = { platform: "linux", arch: "x64", compiler: false }
const lock = {
  "": { version: "0.1.0" },
  "node_modules/tsx": { version: "4.0.0", integrity: "sha512-a" },
  "node_modules/hnswlib-node": { version: "3.0.0", integrity: "sha512-b", optional: true },
  "node_modules/fsevents": { version: "2.0.0", integrity: "sha512-c", optional: true },
}

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "voxkin-setup-"))
  put("package-lock.json", JSON.stringify({ packages: lock }))
})
afterEach(() => rmSync(root, { recursive: true }))

function put(file: string, text: string) {
  mkdirSync(join(root, file, ".."), { recursive: true })
  writeFileSync(join(root, file), text)
}

function install(packages: Record<string, { version: string; integrity: string }>, built?: object) {
  for (const path of Object.keys(packages)) mkdirSync(join(root, path), { recursive: true })
  put("node_modules/.package-lock.json", JSON.stringify({ packages }))
  if (built) put("node_modules/.voxkin-machine.json", JSON.stringify(built))
}

const tsx = { "node_modules/tsx": { version: "4.0.0", integrity: "sha512-a" } }

describe("packages are installed when", () => {
  test("there are none", () => {
    expect(staleness(root, machine)).toBe("nothing is installed yet")
  })

  test("an install was cut off: npm's own record is written last", () => {
    mkdirSync(join(root, "node_modules/tsx"), { recursive: true })
    expect(staleness(root, machine)).toBe("nothing is installed yet")
    put("node_modules/.package-lock.json", '{"packages": {')
    expect(staleness(root, machine)).toBe("nothing is installed yet")
  })

  test("the lock file asks for another version, other bytes, or one more package", () => {
    install({ "node_modules/tsx": { version: "3.0.0", integrity: "sha512-a" } }, machine)
    expect(staleness(root, machine)).toMatch(/^tsx is missing/)
    install({ "node_modules/tsx": { version: "4.0.0", integrity: "sha512-z" } }, machine)
    expect(staleness(root, machine)).toMatch(/^tsx is missing/)
    install({}, machine)
    expect(staleness(root, machine)).toMatch(/^tsx is missing/)
  })

  test("a package's folder was deleted", () => {
    install(tsx, machine)
    rmSync(join(root, "node_modules/tsx"), { recursive: true })
    expect(staleness(root, machine)).toMatch(/^tsx is missing/)
  })

  test("the folder came from another machine", () => {
    install(tsx, { ...machine, arch: "arm64" })
    expect(staleness(root, machine)).toBe("the packages were installed for linux arm64")
  })

  test("a compiler has come and hnswlib-node is not built, but only once", () => {
    install(tsx, machine)
    expect(staleness(root, { ...machine, compiler: true })).toBe("hnswlib-node can be compiled now")
    install(tsx, { ...machine, compiler: true })
    expect(staleness(root, { ...machine, compiler: true })).toBeUndefined()
  })
})

describe("nothing is installed when", () => {
  test("everything is in place; optional packages of other platforms may be absent", () => {
    install(tsx, machine)
    expect(staleness(root, machine)).toBeUndefined()
  })

  test("the person ran npm ci, so that our note of the machine is absent", () => {
    install(tsx)
    expect(staleness(root, machine)).toBeUndefined()
  })

  test("hnswlib-node is built and the compiler has gone", () => {
    install(tsx, { ...machine, compiler: true })
    put("node_modules/hnswlib-node/build/Release/addon.node", "")
    expect(staleness(root, machine)).toBeUndefined()
  })
})

describe("the environment of npm ci", () => {
  test("names Node's headers where they lie beside it, and never lets onnxruntime fetch", () => {
    put("bin/node", "")
    expect(installEnvironment(join(root, "bin/node"), {})).toEqual({ ONNXRUNTIME_NODE_INSTALL: "skip" })
    put("include/node/node.h", "")
    expect(installEnvironment(join(root, "bin/node"), {})).toMatchObject({ npm_config_nodedir: root })
  })

  test("a compiler is make, C++ and Python, all three", () => {
    put("bin/make", "")
    put("bin/g++", "")
    expect(thisMachine(join(root, "bin")).compiler).toBe(false)
    put("bin/python3", "")
    expect(thisMachine(join(root, "bin")).compiler).toBe(true)
  })
})
