import { type Canvas, ellipsoid, type Point, path, tube } from "./canvas.ts"
import type { Person } from "./person.ts"
import type { Random } from "./random.ts"
import { muscle, peritoneum } from "./trunk.ts"

const inBelly = (old: number) => old === peritoneum

/** Organs in the order in which they lie over each other: the vessels and the bowel fill what is left. */
export function abdomen(canvas: Canvas, person: Person, chance: Random): void {
  loins(canvas)
  kidneys(canvas, person, chance)
  vessels(canvas, person)
  liver(canvas, person, chance)
  const { between } = chance
  const spleen: Point = [between(90, 100), between(28, 38), between(-52, -38)]
  const radii: Point = [between(27, 36), between(40, 52), between(42, 58)]
  ellipsoid(canvas, { at: spleen, radii, turn: 0.45 }, (old) => (inBelly(old) ? person.contrast.spleen : old))
  stomach(canvas, chance)
  pancreas(canvas, person)
  bowel(canvas, person, chance)
}

/** Psoas and the crura of the diaphragm. */
function loins(canvas: Canvas): void {
  for (const side of [-1, 1]) {
    const psoas: Point[] = [
      [side * 26, 46, -85],
      [side * 36, 46, -150],
      [side * 52, 40, -220],
      [side * 66, 20, -300],
    ]
    tube(canvas, psoas, [7, 25], (old) => (inBelly(old) ? muscle : old))
    tube(
      canvas,
      [
        [side * 14, 28, 0],
        [side * 12, 32, -100],
      ],
      [8, 5],
      (old) => (inBelly(old) ? muscle : old),
    )
  }
}

function kidneys(canvas: Canvas, { contrast }: Person, { between }: Random): void {
  for (const side of [-1, 1]) {
    const at: Point = [side * between(58, 66), between(34, 42), (side < 0 ? -122 : -108) + between(-8, 8)]
    const radii: Point = [between(24, 29), between(24, 29), between(50, 60)]
    const turn = side * 0.5
    ellipsoid(canvas, { at, radii, turn }, (old, depth) => {
      if (!inBelly(old)) return old
      return depth > 0.55 ? contrast.kidney * 0.82 : contrast.kidney
    })
    const hilum: Point = [at[0] - side * 13, at[1] - 5, at[2]]
    ellipsoid(canvas, { at: hilum, radii: [14, 9, 26], turn }, () => -70)
    ellipsoid(canvas, { at: hilum, radii: [8, 5, 14], turn }, () => 12)
    // Adrenals, thin above them.
    tube(
      canvas,
      [
        [side * 40, 34, at[2] + 56],
        [side * 50, 44, at[2] + 42],
      ],
      [3.5, 3],
      (old) => (inBelly(old) ? 40 : old),
    )
  }
}

function vessels(canvas: Canvas, { contrast }: Person): void {
  const vessel = (points: Point[], radii: readonly [number, number], hu: number) =>
    tube(canvas, points, radii, (old) => (old < 150 ? hu : old))
  vessel(path("10 36 -40, 8 28 -100, 4 22 -190"), [10.5, 8.5], contrast.artery)
  vessel(path("-22 12 8, -24 22 -60, -22 26 -195"), [12, 11], contrast.vein)
  for (const side of [-1, 1]) {
    vessel(
      [
        [4, 22, -188],
        [side * 26, 20, -225],
        [side * 48, 0, -300],
      ],
      [7, 6],
      contrast.artery,
    )
    vessel(
      [
        [side * 10, 28, -112],
        [side * 46, 34, -116],
      ],
      [3.5, 3],
      contrast.artery,
    )
  }
  vessel(path("8 24 -88, 6 4 -100, 4 -14 -170"), [4, 3], contrast.artery) // superior mesenteric
  vessel(path("12 2 -150, 10 4 -100, -30 0 -62"), [6, 6.5], contrast.vein) // portal
}

function liver(canvas: Canvas, { contrast }: Person, chance: Random): void {
  const { between } = chance
  const paint = (old: number) => (inBelly(old) ? contrast.liver : old)
  const right: Point = [between(-66, -58), between(-8, 2), between(-62, -52)]
  ellipsoid(
    canvas,
    { at: right, radii: [between(84, 92), between(82, 92), between(74, 90)] },
    (old, _d, x, y, z) =>
      // The undersurface slants: the liver ends lower at the right flank than in the middle.
      z < -78 + (-x - 30) * -0.9 || (y > 30 && x > -38) ? old : paint(old),
  )
  ellipsoid(canvas, { at: [10, -50, -32], radii: [between(62, 76), 36, between(36, 44)], turn: -0.15 }, paint)
  const inLiver = (old: number, hu: number) => (old === contrast.liver ? hu : old)
  const rise = contrast.vein > 100 ? contrast.vein : contrast.liver - 14
  for (let n = 0; n < 3; n++) {
    const out: Point = [-24 - 30 * n, -20 + 26 * n, -45 - 8 * n]
    tube(canvas, [[-24, 10, -10], out, [out[0] * 1.6, out[1] * 1.5, out[2] - 14]], [6, 3], (old) =>
      inLiver(old, rise),
    )
    tube(
      canvas,
      [
        [-30, 0, -62],
        [-58, -14 + 22 * n, -66 - 6 * n],
        [-92, -30 + 36 * n, -66 - 10 * n],
      ],
      [6, 2.5],
      (old) => inLiver(old, rise),
    )
  }
  // The gall bladder lies in the undersurface.
  const bladder: Point = [between(-52, -44), -46, between(-96, -86)]
  ellipsoid(canvas, { at: bladder, radii: [14, 17, 24] }, (old) =>
    inLiver(old, 8) === 8 || inBelly(old) ? 8 : old,
  )
}

function stomach(canvas: Canvas, { between }: Random): void {
  const way = path("40 8 -14, 66 -6 -42, 60 -38 -82, 20 -52 -106, -14 -44 -104")
  const full = between(17, 27)
  const level = between(-42, -22)
  tube(canvas, way, [full + 5, 15], (old) => (inBelly(old) ? 45 : old))
  // The patient lies on the back: gas is in front, fluid behind.
  tube(canvas, way, [full, 11], (old, _depth, _x, y) => (old === 45 ? (y < level ? -920 : 18) : old))
}

function pancreas(canvas: Canvas, { contrast }: Person): void {
  const way = path("-28 -14 -108, 0 -10 -92, 34 4 -82, 70 18 -64")
  tube(canvas, way, [12, 8], (old) => (inBelly(old) ? 38 + (contrast.liver - 50) * 0.8 : old))
}

/** Colon in the flanks and across, then loops of small bowel wherever there is room. */
function bowel(canvas: Canvas, person: Person, { between, next, pick }: Random): void {
  const colon = path(
    "-92 4 -235, -98 4 -170, -92 -18 -125, -40 -66 -132, 30 -70 -136, 84 -34 -110, 104 10 -120, 102 14 -190, 88 6 -245",
  )
  const wide = between(15, 20)
  const [wall, stool] = [48, 34]
  tube(canvas, colon, [wide + 3, wide], (old) => (inBelly(old) ? wall : old))
  tube(canvas, colon, [wide, wide - 3], (old) => (old === wall ? stool : old))
  for (let n = 0; n < 130; n++) {
    const start = colon[Math.floor(next() * (colon.length - 1))]
    const end = colon[colon.indexOf(start) + 1]
    const t = next()
    const at = start.map(
      (v, axis) => v + (end[axis] - v) * t + between(-wide, wide) * 0.7,
    ) as unknown as Point
    const r = between(3, 9)
    const filling = pick([-850, -850, -300, 60])
    ellipsoid(canvas, { at, radii: [r * 1.3, r, r] }, (old) => (old === stool ? filling : old))
  }

  const enhanced = 50 + (person.contrast.liver - 50) * 0.6
  for (let n = 0; n < 64; n++) {
    const bend = () => between(-30, 30)
    const a: Point = [between(-84, 84), between(-78, 14), between(-290, -104)]
    const b: Point = [a[0] + bend(), a[1] + bend() * 0.6, a[2] + bend()]
    const way = [a, b, [b[0] + bend(), b[1] + bend() * 0.6, b[2] + bend()]] as const
    const r = between(10, 14) * (1 - 0.2 * person.visceral)
    const inside = between(8, 42)
    const level = next() < 0.25 ? a[1] + between(-8, 4) : Number.NEGATIVE_INFINITY
    // Only what this loop has painted as wall is filled: loops lie beside each other.
    const own = enhanced + n * 1e-3
    tube(canvas, way, [r + 2.5, r + 2.5], (old) => (inBelly(old) ? own : old))
    tube(canvas, way, [r, r], (old, _depth, _x, y) =>
      Math.abs(old - own) < 4e-4 ? (y < level ? -900 : inside) : old,
    )
  }
}
