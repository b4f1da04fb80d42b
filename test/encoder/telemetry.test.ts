import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { ended, root, tempFolder } from "#test/support/voxkin.ts"

test("onnxruntime reports nothing to its makers: its telemetry, which keeps a log where it is on, never starts", async () => {
  const folder = tempFolder()
  const scan = "test/fixtures/nifti/int16.nii.gz"
  const command = ["functions/voxkin.mjs", "encode", scan, "--out", join(folder, "f.safetensors")]
  const env = { ...process.env, TMPDIR: folder, ORT_DISABLE_TELEMETRY: undefined }
  const child = spawn(process.execPath, [...command, "--data", join(folder, "data")], { cwd: root, env })
  expect((await ended(child)).code).toBe(0)
  expect(readdirSync(folder).filter((name) => name.startsWith("mat-debug"))).toEqual([])
})
