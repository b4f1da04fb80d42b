import { existsSync } from "node:fs"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { diskStore } from "#shared/store/disk.ts"
import { makeFolder } from "#shared/store/folder.ts"
import { tempFolder } from "#test/support/voxkin.ts"

test("folders are made with those above them, by many at once, and again", async () => {
  const folder = join(tempFolder(), "a/b/c")
  await Promise.all(Array.from({ length: 20 }, () => makeFolder(folder)))
  await makeFolder(folder)
  expect((await stat(folder)).isDirectory()).toBe(true)
})

// Linux's /proc answers ENOENT to every mkdir: nothing can be made there, and nobody may wait for ever.
test.skipIf(!existsSync("/proc/self"))("where nothing can be made it is a fault, not a wait", async () => {
  const put = diskStore("/proc/voxkin").put("a", new Uint8Array(1))
  await expect(put).rejects.toMatchObject({ kind: "unavailable", code: "disk-failed" })
})
