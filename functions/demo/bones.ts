import { type Canvas, ellipsoid, type Point, paintBox, tube } from "./canvas.ts"
import { within } from "./outline.ts"
import type { Person } from "./person.ts"
import { slices } from "./trunk.ts"

const disc = 85
const canal = 28
const cartilage = 110

interface Vertebra {
  /** mm, the middle of its body */
  z: number
  height: number
  lumbar: boolean
}

/** T1 (0) to T12 (11), L1 (12) to L5 (16), S1 (17), from the head down. */
const vertebrae: Vertebra[] = []
for (let i = 0, top = 214; i < 18; i++) {
  const height = i < 12 ? 19 + 0.6 * i : 29 + 0.6 * (i - 12)
  vertebrae.push({ z: top - height / 2, height, lumbar: i >= 12 })
  top -= height
}

/** Where the vertebral bodies' middle lies towards the back: kyphosis of the chest, lordosis of the loins. */
export function spineY(z: number): number {
  return 50 + 9 * Math.cos((z - 75) / 75)
}

export function bones(canvas: Canvas, person: Person): void {
  spine(canvas, person)
  for (let i = 0; i < 12; i++) for (const side of [-1, 1]) rib(canvas, person, i, side)
  shoulders(canvas, person)
  sternum(canvas, person)
  pelvis(canvas, person)
}

const cortex = ({ marrow }: Person) => 380 + marrow * 0.9

function spine(canvas: Canvas, person: Person): void {
  const shell = cortex(person)
  for (const [i, { z, height, lumbar }] of vertebrae.entries()) {
    const y = spineY(z)
    const half = lumbar ? 23 : 13 + i * 0.6
    const deep = lumbar ? 16 : 12 + i * 0.3
    // Arch, joints and the spinous process, pointing down in the chest.
    const back = y + deep
    for (const side of [-1, 1]) {
      const root: Point = [side * 10, back - 1, z + 4]
      const joint: Point = [side * 15, back + 13, z]
      tube(canvas, [root, joint, [0, back + 24, z - 4]], [5.5, 4], (old) => Math.max(old, shell * 0.75))
      const wing: Point = [side * (lumbar ? 40 : 30), back + (lumbar ? 10 : 14), z + 3]
      tube(canvas, [joint, wing], [4.5, 3.5], (old, depth) =>
        Math.max(old, depth > 0.5 ? person.marrow + 90 : shell * 0.8),
      )
    }
    const tip: Point = [0, back + (lumbar ? 36 : 29), z - (lumbar ? 6 : 16)]
    tube(canvas, [[0, back + 22, z - 2], tip], [4.2, 3.6], (old) =>
      old > -500 ? Math.max(old, shell * 0.7) : old,
    )
    ellipsoid(canvas, { at: [0, back + 9, z], radii: [11, 8.5, height] }, () => canal)

    const low: Point = [-half, y - deep, z - height / 2]
    const high: Point = [half, y + deep, z + height / 2]
    paintBox(canvas, low, high, (old, vx, vy, vz) => {
      const u = vx / half
      const v = (vy - y) / deep
      const f = u * u + v * v - 0.3 * u * u * v * v
      if (f > 1) return old
      const end = Math.abs(vz - z) / (height / 2)
      if (end > 0.82) return disc
      return f > 0.76 || end > 0.72 ? shell * 0.85 : person.marrow
    })
  }
}

/** One rib: from its vertebra round the chest and down; the upper seven go on as cartilage to the sternum. */
function rib(canvas: Canvas, person: Person, i: number, side: number): void {
  const at = slices(canvas, person)
  const { z } = vertebrae[i]
  const reach = i < 10 ? 1 : i === 10 ? 0.55 : 0.36
  const drop = i === 0 ? 26 : 50 + i * 4.5
  const points: Point[] = []
  const steps = 26
  for (let s = 0; s <= steps; s++) {
    const t = (s / steps) * reach
    // From beside the spine (the back) over the flank to the front.
    const angle = Math.PI * (0.5 - 0.1) - t * Math.PI * 0.83
    const height = z + 4 - drop * Math.min(1, t * 1.25) ** 1.15 + (t > 0.8 && i > 0 ? (t - 0.8) * 90 : 0)
    const oval = at(height).cavity
    const lateral = oval.half + 5
    const r =
      1 /
      Math.sqrt(
        within(
          { half: lateral, front: oval.front + 5, back: oval.back + 5 },
          Math.cos(angle) * 100,
          Math.sin(angle) * 100,
        ),
      )
    points.push([side * Math.cos(angle) * 100 * r, Math.sin(angle) * 100 * r, height])
  }
  const bony = Math.ceil(points.length * (i < 10 ? 0.74 : 1))
  const shell = cortex(person)
  tube(canvas, points.slice(0, bony), [5.6, 6.2], (old, depth) =>
    Math.max(old, depth > 0.45 ? person.marrow * 0.7 + 60 : shell),
  )
  if (i < 7) tube(canvas, points.slice(bony - 1), [5.5, 5], (old) => Math.max(old, cartilage))
}

function sternum(canvas: Canvas, person: Person): void {
  const at = slices(canvas, person)
  for (let z = 28; z < 172; z += 3) {
    const y = -(at(z).cavity.front + 7)
    const half = z > 140 ? 26 : 16
    ellipsoid(canvas, { at: [0, y, z], radii: [half, 6.5, 5] }, (old, depth) =>
      Math.max(old, depth > 0.4 ? person.marrow * 0.6 + 40 : cortex(person) * 0.7),
    )
  }
}

function shoulders(canvas: Canvas, person: Person): void {
  const at = slices(canvas, person)
  const shell = cortex(person)
  const bone = (old: number, depth: number) => Math.max(old, depth > 0.4 ? person.marrow + 20 : shell)
  for (const side of [-1, 1]) {
    tube(
      canvas,
      [
        [side * 18, -52, 180],
        [side * 70, -50, 200],
        [side * 128, -12, 218],
      ],
      [7, 6],
      bone,
    )
    ellipsoid(canvas, { at: [side * 140, 2, 216], radii: [23, 23, 24] }, bone)
    // The shoulder blade: a plate within the muscles behind the ribs.
    paintBox(canvas, [side > 0 ? 58 : -140, -10, 88], [side > 0 ? 140 : -58, 100, 205], (old, x, y, z) => {
      const inward = 58 + (205 - z) * 0.18
      if (Math.abs(x) < inward || Math.abs(x) > 70 + (z - 88) * 0.55) return old
      const f = within(at(z).muscle, x, y)
      return f > 0.7 && f < 0.79 && y > 12 ? Math.max(old, 330 + person.marrow * 0.4) : old
    })
  }
}

function pelvis(canvas: Canvas, person: Person): void {
  const at = slices(canvas, person)
  const shell = cortex(person)
  paintBox(canvas, [-170, -90, -300], [170, 110, -186], (old, x, y, z) => {
    const crest = -186 - Math.max(0, Math.abs(y - 20) - 14) * 0.55
    if (z > crest || Math.abs(x) < 34 || y < -52 || y > 84) return old
    const f = within(at(z).cavity, x, y)
    const thick = 0.13 + 0.1 * Math.max(0, (y - 30) / 50)
    if (f < 1.02 || f > 1.02 + thick) return old
    const edge = Math.min(f - 1.02, 1.02 + thick - f, (crest - z) / 60)
    return edge < 0.045 ? shell : person.marrow * 0.8
  })
}
