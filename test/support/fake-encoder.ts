import type { Encoder } from "#shared/encoder/encoder.ts"
import { Fault } from "#shared/errors.ts"
import type { Recipe } from "#shared/preprocess/recipe.ts"

const recipe: Recipe = {
  clip: [-1000, 1900],
  crop: { threshold: -800, kernel: 21 },
  spacingFloor: 4,
  patchBudget: 512,
  patch: 4,
  mean: -573.8,
  std: 461.3,
}

/** A small encoder for tests: each token is [mean, standard deviation, minimum, maximum] of its patch's voxels. */
export function fakeEncoder(overrides: { id?: string; recipe?: Partial<Recipe> } = {}): Encoder {
  const id = overrides.id ?? "fake-0123456789ab"
  const ours = { ...recipe, ...overrides.recipe }
  const { patch } = ours
  let open = true
  return {
    id,
    recipe: ours,
    dim: 4,
    async encode({ voxels, shape, grid }) {
      if (!open) throw new Fault("unavailable", "encoder-closed", `encoder ${id} is closed: open it again`)
      if (
        shape.some((n, axis) => n !== grid[axis] * patch) ||
        voxels.length !== shape[0] * shape[1] * shape[2]
      ) {
        throw new Fault(
          "invalid",
          "wrong-input-shape",
          `input of shape ${shape.join(" × ")} has no grid of ${grid.join(" × ")} patches of ${patch}³ voxels: preprocess it with this encoder's recipe`,
        )
      }
      const [gz, gy, gx] = grid
      const patches = new Float32Array(gz * gy * gx * 4)
      for (let z = 0, token = 0; z < gz; z++) {
        for (let y = 0; y < gy; y++) {
          for (let x = 0; x < gx; x++, token++) {
            const values: number[] = []
            for (let i = 0; i < patch; i++) {
              for (let j = 0; j < patch; j++) {
                const row = ((z * patch + i) * shape[1] + y * patch + j) * shape[2] + x * patch
                values.push(...voxels.subarray(row, row + patch))
              }
            }
            patches.set(statistics(values), token * 4)
          }
        }
      }
      const tokens = patches.length / 4
      const cls = Float32Array.from([0, 1, 2, 3], (channel) => {
        let sum = 0
        for (let token = 0; token < tokens; token++) sum += patches[token * 4 + channel]
        return sum / tokens
      })
      return { cls, patches, grid }
    },
    async close() {
      open = false
    },
  }
}

function statistics(values: number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return [mean, Math.sqrt(variance), Math.min(...values), Math.max(...values)]
}
