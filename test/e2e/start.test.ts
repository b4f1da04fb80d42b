import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { writeDemo } from "#functions/demo/demo.ts"
import { ended, type Run, root, tempFolder, voxkin } from "#test/support/voxkin.ts"

/** `npm start` in an empty folder, stopped by Ctrl-C once it serves. */
function npmStart(cwd: string): Promise<Run> {
  const args = [join(root, "functions/setup/start.mjs"), "--port", "0"]
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
  child.stderr.on("data", (text: Buffer) => {
    if (text.includes("Ctrl-C stops it")) child.kill("SIGINT")
  })
  return ended(child)
}

test("npm start finishes a demo that was stopped half way, serves it, and does not make it again; its probe answers", async () => {
  const folder = tempFolder()
  const data = join(folder, ".voxkin")
  mkdirSync(join(data, "demo"), { recursive: true })
  const { paths } = await writeDemo(join(data, "demo"), [{ seed: 0, series: 0 }])
  await voxkin("add", ...paths, "--cohort", "demo", "--data", data)

  const first = await npmStart(folder)
  expect(first.code).toBe(0)
  expect(first.stderr).toContain("phantoms, no patients")
  expect(first.stderr).toMatch(/23 embedded, 1 embedded before, 0 rejected/)
  expect(first.stderr).toMatch(/demo \(24 series\)/)
  expect(first.stdout).toMatch(/1 {2}(0\.\d+|1\.0000) .*phantom-00-2\.nii\.gz/)

  const second = await npmStart(folder)
  expect(second.code).toBe(0)
  expect(second.stderr).toMatch(/demo \(24 series\)/)
  expect(second.stderr + second.stdout).not.toMatch(/embedded|phantom/)

  const absent = `s-${"0".repeat(32)}`
  const predicted = await voxkin("probe", "predict", "region", absent, ...paths, "--data", data, "--json")
  expect(predicted.lines).toMatchObject([
    { query: absent, error: { code: "no-features" } },
    { query: paths[0], prediction: { label: expect.any(String) } },
  ])
  expect(predicted.code).toBe(1)
}, 240_000)
