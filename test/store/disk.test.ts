import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import { objectStoreContract } from "#test/contracts/object-store.ts"

const folder = mkdtempSync(join(tmpdir(), "voxkin-disk-"))
afterAll(() => rm(folder, { recursive: true }))

describe("disk", () => {
  objectStoreContract("disk", async () => diskStore(join(folder, "contract")), { keyBelowKey: "refused" })
})
