import { describe, expect, test } from "vitest"
import { apply, type Matrix4, multiply, type Triple } from "#shared/volume/affine.ts"
import { canonical } from "#shared/volume/canonical.ts"
import type { Volume } from "#shared/volume/volume.ts"

/** 2 × 3 × 4 voxels, each its own value. */
const body: Volume = {
  voxels: Float32Array.from({ length: 24 }, (_, i) => i),
  shape: [2, 3, 4],
  spacing: [2.5, 0.9, 0.8],
  affine: [
    [0, 0, 0.8, -12.5],
    [0, 0.9, 0, 7.25],
    [2.5, 0, 0, 100],
    [0, 0, 0, 1],
  ],
}
/** 20° about z after −35° about x. */
const rotation = multiply(turn(20, 0, 1), turn(-35, 1, 2))

function turn(degrees: number, from: number, to: number): Matrix4 {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const entry = (i: number, j: number) => {
    if (i === from && j === to) return -sin
    if (i === to && j === from) return sin
    if (i !== j) return 0
    return i === from || i === to ? cos : 1
  }
  return [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => entry(i, j)))
}

const letters = ["IS", "AP", "RL"] // low and high end of canonical z, y, x

const orders: Triple[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]
const flips = Array.from({ length: 8 }, (_, i) => [i & 4, i & 2, i & 1].map(Boolean))
const ways = orders.flatMap((order) => flips.map((flip) => ({ order, flip })))

/** The body as a file would store it whose axis j is canonical axis order[j], run backwards where flip[j]. */
function stored(order: Triple, flip: boolean[], affine: Matrix4) {
  const shape: Triple = [body.shape[order[0]], body.shape[order[1]], body.shape[order[2]]]
  const voxels = new Float32Array(body.voxels.length)
  const at = (index: Triple) => {
    const canonicalIndex = [0, 0, 0]
    for (const j of [0, 1, 2]) canonicalIndex[order[j]] = flip[j] ? shape[j] - 1 - index[j] : index[j]
    return canonicalIndex
  }
  let i = 0
  for (let a = 0; a < shape[0]; a++)
    for (let b = 0; b < shape[1]; b++)
      for (let c = 0; c < shape[2]; c++) {
        const [z, y, x] = at([a, b, c])
        voxels[i++] = body.voxels[(z * body.shape[1] + y) * body.shape[2] + x]
      }
  const toCanonical = [0, 1, 2, 3].map(() => [0, 0, 0, 0])
  toCanonical[3][3] = 1
  for (const j of [0, 1, 2]) {
    toCanonical[order[j]][j] = flip[j] ? -1 : 1
    toCanonical[order[j]][3] = flip[j] ? shape[j] - 1 : 0
  }
  return { voxels, shape, affine: multiply(affine, toCanonical) }
}

function expectSamePlaces(a: Matrix4, b: Matrix4, shape: Triple): void {
  for (const corner of [[0, 0, 0], [shape[0] - 1, 0, 0], [0, shape[1] - 1, 0], shape] as Triple[])
    for (const [i, mm] of apply(a, corner).entries()) expect(mm).toBeCloseTo(apply(b, corner)[i], 9)
}

describe("canonical", () => {
  test.each(ways)("stored as axes $order, flipped $flip: the same volume", ({ order, flip }) => {
    const { volume, layout } = canonical(stored(order, flip, body.affine))
    expect(volume.shape).toEqual(body.shape)
    expect(volume.voxels).toEqual(body.voxels)
    expectSamePlaces(volume.affine, body.affine, body.shape)
    for (const axis of [0, 1, 2]) expect(volume.spacing[axis]).toBeCloseTo(body.spacing[axis], 9)
    expect(layout.orientation).toBe([2, 1, 0].map((j) => letters[order[j]][flip[j] ? 0 : 1]).join(""))
  })

  test.each(ways)("oblique and stored as axes $order, flipped $flip: the nearest axes", ({ order, flip }) => {
    const oblique = multiply(rotation, body.affine)
    const { volume } = canonical(stored(order, flip, oblique))
    expect(volume.voxels).toEqual(body.voxels)
    expectSamePlaces(volume.affine, oblique, body.shape)
    for (const axis of [0, 1, 2]) expect(volume.spacing[axis]).toBeCloseTo(body.spacing[axis], 9)
  })

  test("the array is reused when nothing moves, and left alone when something does", () => {
    const asIs = stored([0, 1, 2], [false, false, false], body.affine)
    expect(canonical(asIs).volume.voxels).toBe(asIs.voxels)
    const turned = stored([0, 1, 2], [false, true, false], body.affine)
    const before = turned.voxels.slice()
    expect(canonical(turned).volume.voxels).not.toBe(turned.voxels)
    expect(turned.voxels).toEqual(before)
  })

  test("at 45° float32 noise does not choose the axes", () => {
    const h = Math.SQRT1_2
    const turned = (noise: number): Matrix4 => [
      [0, -h, h + noise, 0],
      [0, h, h, 0],
      [1, 0, 0, 0],
      [0, 0, 0, 1],
    ]
    const orientations = [-1e-7, 0, 1e-7].map(
      (noise) =>
        canonical({ voxels: body.voxels, shape: body.shape, affine: turned(noise) }).layout.orientation,
    )
    expect(new Set(orientations)).toEqual(new Set(["LPS"]))
  })
})
