import type { Person } from "./person.ts"

/** A rounded outline in one axial plane: half width, and how far it reaches to the front and to the back. */
export interface Oval {
  half: number
  front: number
  back: number
}

/**
 * Below 1 inside, 1 on the outline, above 1 outside. The product term makes the ellipse squarer, as a trunk is.
 */
export function within({ half, front, back }: Oval, x: number, y: number): number {
  const u = (x / half) ** 2
  const v = (y / (y < 0 ? front : back)) ** 2
  return u > 1 || v > 1 ? u + v : u + v - 0.35 * u * v
}

/** The three outlines at one height: skin, the outside of the muscles, the cavity of chest or abdomen. */
export interface Outlines {
  skin: Oval
  muscle: Oval
  cavity: Oval
}

/** Heights in mm; 0 is the dome of the diaphragm. [z, half, front, back] of the muscles' outside. */
const muscles = [
  [-300, 168, 74, 96],
  [-235, 160, 76, 96],
  [-165, 136, 84, 92],
  [-110, 138, 92, 92],
  [-40, 148, 98, 94],
  [50, 152, 98, 96],
  [120, 160, 90, 97],
  [180, 166, 70, 95],
  [215, 168, 48, 88],
  [250, 120, 40, 70],
]
/** [z, side, front, back]: how thick the wall between that outline and the cavity is. */
const walls = [
  [-300, 46, 16, 44],
  [-220, 36, 12, 38],
  [-160, 15, 11, 36],
  [-80, 13, 11, 26],
  [0, 14, 13, 19],
  [60, 18, 15, 19],
  [120, 36, 18, 22],
  [170, 62, 17, 30],
  [205, 108, 17, 42],
  [222, 150, 20, 60],
  [250, 118, 36, 66],
]

export function outlines({ fat, visceral, sex }: Person, z: number): Outlines {
  const [half, front, back] = along(muscles, z)
  const [side, fore, aft] = along(walls, z)
  // Belly: visceral fat pushes the front out, most at the navel.
  const belly = 26 * visceral * bump(z, -120, 110)
  // A waist and wider hips against wider shoulders.
  const figure = sex === "F" ? 9 * bump(z, -235, 60) - 7 * bump(z, 190, 110) : 8 * bump(z, 190, 120)
  const muscle = { half: half + figure + belly * 0.35, front: front + belly, back }
  const abdominal = 0.35 + 0.75 * bump(z, -130, 150)
  return {
    muscle,
    skin: {
      half: muscle.half + fat * (0.5 + 0.6 * bump(z, -180, 160)),
      front: muscle.front + fat * abdominal,
      back: muscle.back + fat * (0.5 + 0.5 * bump(z, -190, 130)),
    },
    cavity: { half: muscle.half - side, front: muscle.front - fore, back: muscle.back - aft },
  }
}

/** 1 at the centre, 0 beyond `reach` on either side, smooth between. */
export function bump(z: number, centre: number, reach: number): number {
  const d = Math.abs(z - centre) / reach
  return d < 1 ? 0.5 + 0.5 * Math.cos(Math.PI * d) : 0
}

/** The rows' values at height z, smoothly between the rows. */
function along(rows: number[][], z: number): number[] {
  const last = rows.length - 1
  if (z <= rows[0][0]) return rows[0].slice(1)
  if (z >= rows[last][0]) return rows[last].slice(1)
  const i = rows.findIndex((row) => row[0] > z) - 1
  const t = (z - rows[i][0]) / (rows[i + 1][0] - rows[i][0])
  const s = t * t * (3 - 2 * t)
  return rows[i].slice(1).map((value, n) => value + (rows[i + 1][n + 1] - value) * s)
}
