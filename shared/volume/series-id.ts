import { createHash } from "node:crypto"
import { huClip } from "./hu.ts"
import type { Volume } from "./volume.ts"

/**
 * Rounds to 0.01 mm. The boundary between two steps lies at 0.0060605 mm, not half way: spacings such as 0.875 or
 * 0.625 mm (a field of view over 512) lie half way exactly, where the noise of float32 would decide the id.
 */
function hundredths(mm: number): number {
  return Math.floor(mm * 100 + 1 - 0.60605)
}

/**
 * The series' id: a digest of its canonical voxels (clipped to the HU range, rounded to int16) and its spacing
 * (rounded to 0.01 mm, so that float32 headers agree with DICOM's decimals). The same scan as DICOM and as NIfTI
 * has the same id; where the scan lies in the patient's space is not part of it.
 */
export function seriesId(volume: Volume): string {
  const hash = createHash("sha256")
  const spacing = volume.spacing.map(hundredths)
  hash.update(`voxkin series 1\n${volume.shape.join(" ")}\n${spacing.join(" ")}\n`)
  const [low, high] = huClip
  const chunk = new Int16Array(1 << 16)
  const { voxels } = volume
  for (let start = 0; start < voxels.length; start += chunk.length) {
    const n = Math.min(chunk.length, voxels.length - start)
    for (let i = 0; i < n; i++) {
      const v = voxels[start + i]
      chunk[i] = Math.round(v < low ? low : v > high ? high : v)
    }
    // Little endian, as every machine we run on is.
    hash.update(new Uint8Array(chunk.buffer, 0, n * 2))
  }
  return `s-${hash.digest("hex").slice(0, 32)}`
}
