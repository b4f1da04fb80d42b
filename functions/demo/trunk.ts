import { type Canvas, ellipsoid, paintBox } from "./canvas.ts"
import { type Outlines, outlines, within } from "./outline.ts"
import type { Person } from "./person.ts"

/** HU of what the organs are painted into. They differ, so that an organ can be kept inside its own cavity. */
export const air = -1000
export const fat = -105
export const mediastinum = -92
export const peritoneum = -98
export const lung = -855
export const muscle = 55
const skin = 15

/** The outlines at each height of the canvas. */
export function slices(canvas: Canvas, person: Person): (z: number) => Outlines {
  const all = Array.from({ length: canvas.shape[0] }, (_, k) =>
    outlines(person, canvas.origin[0] + k * canvas.step[0]),
  )
  return (z) =>
    all[Math.max(0, Math.min(all.length - 1, Math.round((z - canvas.origin[0]) / canvas.step[0])))]
}

/** Height of the diaphragm over a place: two domes, the right one higher, falling to −85 mm at the wall. */
export function diaphragm(x: number, y: number): number {
  const right = x < 0
  const u = (x - (right ? -70 : 78)) / (x * (right ? -1 : 1) > 74 ? 62 : 190)
  const v = (y - 2) / (y > 0 ? 82 : 120)
  return (right ? 10 : -6) - 85 * (u * u + v * v)
}

/** The thin fat between the layers of muscle, and in the middle of the back. */
function between(wall: number, x: number, y: number, z: number): boolean {
  if (y > 60) return Math.abs(x) < 2.5
  const layer = z < -60 ? 0.94 : z > 90 ? 0.86 : 0.97
  return Math.abs(wall - layer) < 0.013
}

/** Half the width of what lies between the lungs. */
function midline(y: number, z: number): number {
  const behind = Math.max(0, Math.min(1, (y + 62) / 70))
  return 9 + 15 * behind + (z > 150 ? (z - 150) * 0.12 : 0)
}

/** Skin, fat, muscle, lungs and the fat of the two cavities; everything else is painted over this. */
export function trunk(canvas: Canvas, person: Person): void {
  const at = slices(canvas, person)
  const { shape, step, origin } = canvas
  const low = [origin[2], origin[1], origin[0]] as const
  const high = [
    origin[2] + shape[2] * step[2],
    origin[1] + shape[1] * step[1],
    origin[0] + shape[0] * step[0],
  ] as const

  paintBox(canvas, low, high, (_, x, y, z) => {
    const slice = at(z)
    const outside = within(slice.skin, x, y)
    if (outside > 1) return air
    if (outside > 0.968) return skin
    const wall = within(slice.muscle, x, y)
    if (wall > 1) return fat
    const inside = within(slice.cavity, x, y)
    if (inside > 1) return between(wall, x, y, z) ? -60 : muscle
    const dome = diaphragm(x, y)
    if (z < dome - 3) return peritoneum
    if (z < dome) return muscle
    return inside < 0.97 && Math.abs(x - 3) > midline(y, z) && z < 218 ? lung : mediastinum
  })
  if (person.sex === "F") breasts(canvas, person, at(78))
}

function breasts(canvas: Canvas, person: Person, { skin: chest }: Outlines): void {
  const size = 18 + person.fat
  for (const side of [-1, 1]) {
    const at = [side * 78, -chest.front * 0.8, 78] as const
    ellipsoid(canvas, { at, radii: [58, size + 12, 62] }, (old) => (old === air ? skin : old))
    ellipsoid(canvas, { at, radii: [55, size + 9, 59] }, (old) => (old === skin ? fat : old))
    const glands = [at[0], at[1] - size * 0.4, at[2] - 6] as const
    const tissue = person.age < 55 ? 25 : -40
    ellipsoid(canvas, { at: glands, radii: [30, size * 0.45, 32] }, (old) => (old === fat ? tissue : old))
  }
}
