/**
 * Peak memory of one encode above the weights: the whole process, voxels and tokens included.
 *
 *   python -m training.export --random --dim 864 --depth 12 --heads 12 --out .voxkin/voxelfm-size --name voxelfm-size
 *   npm run bench -- encoder-memory .voxkin/voxelfm-size 29 29 29
 *
 * Without arguments: the default encoder on a trunk's 15³ patches.
 */
import { readFileSync } from "node:fs"
import { defaultEncoderDir } from "#shared/encoder/library.ts"
import { openEncoder } from "#shared/encoder/onnx.ts"
import type { Triple } from "#shared/volume/affine.ts"
import { inputOf } from "#test/support/encoder-input.ts"

/** MB of this process: resident now (VmRSS), or at most so far (VmHWM). Linux only. */
function megabytes(field: "VmRSS" | "VmHWM"): number {
  const line = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+) kB`))
  return Math.round(Number(line![1]) / 1024)
}

const [dir = defaultEncoderDir, ...sizes] = process.argv.slice(2)
const grid: Triple =
  sizes.length === 3 ? [Number(sizes[0]), Number(sizes[1]), Number(sizes[2])] : [15, 15, 15]
const start = megabytes("VmRSS")
const encoder = await openEncoder(dir)
const weights = encoder.card.files.reduce((sum, file) => sum + file.bytes, 0) / 2 ** 20
const opened = megabytes("VmRSS")
const openedPeak = megabytes("VmHWM")

const began = performance.now()
const { cls } = await encoder.encode(inputOf(encoder.recipe.patch, grid))
const seconds = (performance.now() - began) / 1000
const peak = megabytes("VmHWM")
const after = megabytes("VmRSS")
await encoder.close()

console.log(
  JSON.stringify({
    tokens: grid[0] * grid[1] * grid[2],
    seconds: Number(seconds.toPrecision(3)),
    weightsMB: Math.round(weights),
    startMB: start,
    openedMB: opened,
    openedPeakMB: openedPeak,
    peakMB: peak,
    afterMB: after,
    peakAboveWeightsMB: Math.round(peak - weights),
    peakAboveStartAndWeightsMB: Math.round(peak - start - weights),
    cls0: cls[0],
  }),
)
