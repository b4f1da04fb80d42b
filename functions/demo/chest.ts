import { type Canvas, ellipsoid, type Point, path, tube } from "./canvas.ts"
import type { Person } from "./person.ts"
import type { Random } from "./random.ts"
import { lung, mediastinum } from "./trunk.ts"

const myocardium = 55
const wall = 35

/** Heart, great vessels, airways, gullet and the vessels of the lungs. */
export function chest(canvas: Canvas, person: Person, chance: Random): void {
  heart(canvas, person, chance)
  greatVessels(canvas, person)
  for (const side of [-1, 1]) {
    const hilum: Point = [side * 40, 8, 92]
    for (let n = 0; n < 13; n++) branch(canvas, person, chance, hilum, direction(side, n), 4.6, 6)
  }
  airways(canvas)
}

/** Painted over lung and mediastinal fat only: ribs, spine and what is outside the chest stay. */
const inChest = (old: number) => old === lung || old === mediastinum

function heart(canvas: Canvas, { contrast, visceral }: Person, { between }: Random): void {
  const size = between(0.92, 1.1)
  const at: Point = [26, -34, 42]
  const radii: Point = [60 * size, 45 * size, 50 * size]
  const turn = -0.5
  const rim = 1 + 0.05 + 0.07 * visceral
  ellipsoid(canvas, { at, radii: [radii[0] * rim, radii[1] * rim, radii[2] * rim], turn }, (old) =>
    old === lung ? mediastinum : old,
  )
  ellipsoid(canvas, { at, radii, turn }, (old) => (inChest(old) ? myocardium + contrast.heart * 0.25 : old))
  const chamber = (x: number, y: number, z: number, r: Point, turned: number, hu: number) =>
    ellipsoid(canvas, { at: [x, y, z], radii: r, turn: turned }, (old) => (old > 0 && old < 250 ? hu : old))
  chamber(48, -36, 32, [26, 17, 26], -0.6, contrast.heart) // left ventricle
  chamber(10, -54, 34, [28, 14, 26], -0.35, contrast.heart * 0.9) // right ventricle
  chamber(-16, -28, 42, [18, 20, 26], 0, contrast.vein) // right atrium
  chamber(14, -2, 62, [27, 15, 20], 0, contrast.heart) // left atrium
}

function greatVessels(canvas: Canvas, { contrast, age, shapes }: Person): void {
  const vessel = (points: Point[], radii: readonly [number, number], hu: number) => {
    tube(canvas, points, [radii[0] + 2, radii[1] + 2], (old) => (inChest(old) ? wall : old))
    tube(canvas, points, radii, (old) => (old < 250 ? hu : old))
  }
  const wide = 11 + (age - 50) * 0.05
  vessel(path("44 -18 96, 22 -24 100, 10 2 96"), [12, 11], contrast.heart) // pulmonary trunk
  vessel(path("10 0 96, -22 8 96, -46 10 92"), [10, 7], contrast.heart)
  vessel(path("20 4 98, 46 12 96"), [9, 7], contrast.heart)
  vessel(path("-28 -12 50, -27 -8 110, -24 -10 172"), [9, 8], contrast.vein) // superior vena cava
  vessel(path("-24 -10 172, 4 -30 184, 22 -28 196"), [7, 6], contrast.vein)
  const arch = path("4 -20 66, -12 -24 95, -10 -22 130, 2 -10 148, 16 14 152, 27 34 142")
  vessel(arch, [wide + 3, wide + 1], contrast.artery)
  vessel(path("27 34 142, 28 42 110, 25 46 40, 14 40 -40, 8 34 -80"), [wide + 1, wide - 1], contrast.artery)
  vessel(path("-6 -10 150, -16 -2 185, -24 2 225"), [7, 5], contrast.artery) // brachiocephalic
  vessel(path("12 6 152, 22 8 190, 26 6 225"), [5, 4.5], contrast.artery)
  if (age < 60) return
  // Calcified plaques of the arch: more with the years.
  for (let i = 0; i < (age - 55) / 4; i++) {
    const [x, y, z] = arch[(shapes + i * 7) % arch.length]
    const angle = i * 2.4 + shapes
    const at: Point = [x + Math.cos(angle) * wide, y + Math.sin(angle) * wide, z]
    ellipsoid(canvas, { at, radii: [3, 3, 4] }, () => 650)
  }
}

function airways(canvas: Canvas): void {
  const airway = (points: Point[], radii: readonly [number, number]) => {
    tube(canvas, points, [radii[0] + 2, radii[1] + 2], (old) => (old < 200 ? wall : old))
    tube(canvas, points, radii, () => -985)
  }
  airway(path("2 14 250, 0 20 118"), [8.5, 8.5])
  airway(path("0 20 120, -24 20 100, -48 16 78"), [7, 4.5])
  airway(path("0 20 120, 26 22 98, 50 20 76"), [7, 4.5])
  const gullet = path("2 34 250, 4 36 120, 8 34 40, 22 16 0")
  tube(canvas, gullet, [8, 8], (old) => (inChest(old) || old === wall ? 40 : old))
  tube(canvas, gullet.slice(0, 3), [2.5, 2], () => -600)
}

function direction(side: number, n: number): Point {
  // Points spread over a half sphere that opens to the side (a golden spiral).
  const up = 1 - (2 * (n + 0.5)) / 13
  const ring = Math.sqrt(1 - up * up)
  const angle = n * 2.4
  return [side * (0.35 + Math.abs(ring * Math.cos(angle))), ring * Math.sin(angle), up]
}

/** A vessel of the lung and all that grow out of it. What lies outside the lung stays as it is. */
function branch(
  canvas: Canvas,
  person: Person,
  chance: Random,
  from: Point,
  way: Point,
  radius: number,
  left: number,
): void {
  const norm = Math.hypot(...way)
  const length = (7 + 4 * left) * chance.between(0.7, 1.2)
  const to: Point = [
    from[0] + (way[0] / norm) * length,
    from[1] + (way[1] / norm) * length,
    from[2] + (way[2] / norm) * length,
  ]
  // Thinner than a voxel: drawn as wide as one, and so much fainter.
  const seen = Math.max(radius, Math.max(...canvas.step) * 0.55)
  const full = Math.max(40, person.contrast.heart * 0.8)
  const hu = lung + (full - lung) * Math.min(1, (radius / seen) ** 2)
  tube(canvas, [from, to], [seen, seen], (old) => (old < -500 && old > -960 ? Math.max(old, hu) : old))
  if (left === 0) return
  for (const spread of [0.45, 0.8]) {
    const turned = way.map((w) => w / norm + chance.between(-spread, spread)) as unknown as Point
    branch(canvas, person, chance, to, turned, radius * (spread < 0.5 ? 0.8 : 0.68), left - 1)
  }
}
