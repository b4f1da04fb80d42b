import { describe, expect, test } from "vitest"
import { demoSeries } from "#functions/demo/demo.ts"
import { person } from "#functions/demo/person.ts"
import { type Phantom, phantom } from "#functions/demo/phantom.ts"
import { checkHu } from "#shared/volume/hu.ts"
import { seriesId } from "#shared/volume/series-id.ts"

type Place = [x: number, y: number, z: number]

/** Index [z, y, x] of a place in mm of the body. */
function indexOf({ volume }: Phantom, seed: number, [x, y, z]: Place): number[] {
  const { scale } = person(seed)
  const { affine, spacing } = volume
  return [z * scale[2], y * scale[1], x * scale[0]].map((mm, axis) =>
    Math.round((mm - affine[2 - axis][3]) / spacing[axis]),
  )
}

/** HU of all voxels whose centre is nearer than `mm` to that of the voxel at the index. */
function ball({ volume }: Phantom, [z, y, x]: number[], mm: number): number[] {
  const { voxels, shape, spacing } = volume
  const [rz, ry, rx] = spacing.map((step) => Math.floor(mm / step))
  const found: number[] = []
  for (let dz = -rz; dz <= rz; dz++)
    for (let dy = -ry; dy <= ry; dy++)
      for (let dx = -rx; dx <= rx; dx++)
        if (Math.hypot(dz * spacing[0], dy * spacing[1], dx * spacing[2]) < mm)
          found.push(voxels[((z + dz) * shape[1] + y + dy) * shape[2] + x + dx])
  return found
}

/** Median HU around a place: vessels and noise do not count, as they fill less than half. */
function medianAt(scan: Phantom, seed: number, place: Place, mm = 8): number {
  const found = ball(scan, indexOf(scan, seed, place), mm).sort((a, b) => a - b)
  return found[found.length >> 1]
}

const kept = new Map<string, Phantom>()
function made(seed: number, scan = 0): Phantom {
  const key = `${seed} ${scan}`
  const known = kept.get(key) ?? phantom(seed, scan)
  kept.set(key, known)
  return known
}
const seedOf = (region: string) => demoSeries.find(({ seed }) => person(seed).region === region)!.seed

describe("a phantom", () => {
  test("is the same for the same seed and series, and another for another", () => {
    const again = phantom(1, 0)
    expect(seriesId(again.volume)).toBe(seriesId(made(1).volume))
    expect(again.metadata).toEqual(made(1).metadata)
    expect(seriesId(made(4).volume)).not.toBe(seriesId(made(1).volume))
    expect(made(4).metadata.patient).not.toBe(made(1).metadata.patient)
  })

  test("reconstructed twice is one body in two series", () => {
    const [first, second] = [made(1, 0), made(1, 1)]
    expect(second.metadata).toEqual(first.metadata)
    expect(seriesId(second.volume)).not.toBe(seriesId(first.volume))
    // Liver, spleen and vertebra agree within the noise and the tissue's unevenness.
    for (const place of [
      [-70, 0, -50],
      [96, 33, -45],
      [0, 42, -123],
    ] as Place[]) {
      expect(Math.abs(medianAt(first, 1, place) - medianAt(second, 1, place))).toBeLessThan(40)
    }
  })

  test("holds Hounsfield units as a scanner writes them: whole numbers from −1024", () => {
    for (const seed of [seedOf("chest"), seedOf("abdomen"), seedOf("trunk")]) {
      const { voxels, shape, spacing } = made(seed).volume
      checkHu(voxels)
      expect(voxels.length).toBe(shape[0] * shape[1] * shape[2])
      expect(voxels.every((hu) => Number.isInteger(hu) && hu >= -1024 && hu < 2000)).toBe(true)
      expect(Math.max(...shape)).toBeLessThanOrEqual(160)
      expect(Math.min(...spacing)).toBeGreaterThan(2)
    }
  })

  test("has each organ in its place, with its attenuation", () => {
    const seed = seedOf("trunk")
    const scan = made(seed)
    const { contrast, marrow } = person(seed)
    const near = (place: Place, hu: number, tolerance: number, mm?: number) => {
      const found = medianAt(scan, seed, place, mm)
      expect(Math.abs(found - hu), `${place}: ${found} HU, not ${hu}`).toBeLessThan(tolerance)
    }
    near([-95, 0, 60], -855, 60, 20) // right lung
    near([95, 10, 60], -855, 60, 20) // left lung
    near([-80, 5, -40], contrast.liver, 30)
    near([96, 33, -45], contrast.spleen, 30)
    near([0, 17, 180], -985, 40, 5) // trachea
    near([0, 58, 91], marrow, 110) // a thoracic vertebra, perhaps at its end plate
    expect(medianAt(scan, seed, [0, -190, 60])).toBeLessThan(-900) // air before the chest
  })

  test("lets the bone thin with age", () => {
    const people = Array.from({ length: 60 }, (_, seed) => person(seed))
    const mean = (some: typeof people) => some.reduce((sum, { marrow }) => sum + marrow, 0) / some.length
    expect(mean(people.filter(({ age }) => age < 45))).toBeGreaterThan(
      mean(people.filter(({ age }) => age > 65)) + 50,
    )
  })

  test("shows its finding: a dense ball in a lung", () => {
    const chests = demoSeries.map(({ seed }) => seed).filter((seed) => person(seed).region === "chest")
    const [seed] = chests.sort((a, b) => person(b).findingMm - person(a).findingMm)
    const without = chests.find((seed) => person(seed).finding === "none")!
    expect(holdsBall(without, person(seed).findingMm * 0.3)).toBe(false)
    expect(holdsBall(seed, person(seed).findingMm * 0.3)).toBe(true)
  })
})

/** Whether a ball of this radius fits into what is dense within the outer half of the lungs. */
function holdsBall(seed: number, mm: number): boolean {
  const scan = made(seed)
  for (const side of [-1, 1]) {
    for (let z = 70; z <= 140; z += 3)
      for (let y = -15; y <= 40; y += 3)
        for (let x = 72; x <= 92; x += 3) {
          if (ball(scan, indexOf(scan, seed, [side * x, y, z]), mm).every((hu) => hu > -300)) return true
        }
  }
  return false
}

test("the demo has every region and every finding, each more than twice, and pairs of series", () => {
  const people = demoSeries.map(({ seed }) => person(seed))
  const count = (test: (p: (typeof people)[number]) => boolean) => people.filter(test).length
  for (const region of ["chest", "abdomen", "trunk"])
    expect(count((p) => p.region === region)).toBeGreaterThan(2)
  for (const kind of ["nodule", "lesion", "none"]) expect(count((p) => p.finding === kind)).toBeGreaterThan(2)
  expect(count((p) => p.sex === "F")).toBeGreaterThan(5)
  expect(count((p) => p.sex === "M")).toBeGreaterThan(5)
  expect(demoSeries.length).toBe(24)
})
