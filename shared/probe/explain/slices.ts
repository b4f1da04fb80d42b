import type { Window } from "#shared/preprocess/crop.ts"
import type { Triple } from "#shared/volume/affine.ts"
import type { Volume } from "#shared/volume/volume.ts"
import type { Lattice } from "./lattice.ts"

/** HU shown as black and white: soft tissue, level 40 and width 400. */
export const huWindow = [-160, 240] as const

type Axis = 0 | 1 | 2

/** How a slice is laid on the page, as radiologists have it: the patient's right on the left. Axes of [z, y, x]. */
interface View {
  name: "axial" | "coronal" | "sagittal"
  through: Axis
  across: Axis
  down: Axis
  /** z runs towards the head, and the head is shown above. */
  flipped: boolean
  /** Where the page's sides lie in the patient: of an oblique volume, the nearest direction. */
  letters: { left: string; right: string; top: string; bottom: string }
}

const views: View[] = [
  {
    name: "axial",
    through: 0,
    across: 2,
    down: 1,
    flipped: false,
    letters: { left: "R", right: "L", top: "A", bottom: "P" },
  },
  {
    name: "coronal",
    through: 1,
    across: 2,
    down: 0,
    flipped: true,
    letters: { left: "R", right: "L", top: "S", bottom: "I" },
  },
  {
    name: "sagittal",
    through: 2,
    across: 1,
    down: 0,
    flipped: true,
    letters: { left: "A", right: "P", top: "S", bottom: "I" },
  },
]

/** A patch's part of a slice; mm from the slice's upper left corner. */
export interface Cell {
  left: number
  top: number
  width: number
  height: number
  contribution: number
  /** Whether it is the patch that the slices go through. */
  chosen: boolean
}

/** One plane of a volume's part, with the patches that it cuts. */
export interface Slice extends Pick<View, "name" | "letters"> {
  /** [rows, columns] from the upper left corner, `huWindow` as 0 to 255. */
  grey: Uint8Array
  rows: number
  columns: number
  /** mm */
  width: number
  height: number
  cells: Cell[]
}

export interface Cut {
  volume: Volume
  /** The part to show: what the encoder saw. */
  window: Window
  lattice: Lattice
  grid: Triple
  /** What each patch adds, [gz · gy · gx]. */
  contributions: Float64Array
  /** The patch to cut through the middle of, [z, y, x]. */
  patch: Triple
}

/** The axial, the coronal and the sagittal plane of voxels that hold the centre of a patch. */
export function slicesOf(cut: Cut): Slice[] {
  return views.map((view) => sliceOf(cut, view))
}

function sliceOf(cut: Cut, view: View): Slice {
  const { volume, window } = cut
  const { across, down } = view
  const [rows, columns] = [window.shape[down], window.shape[across]]
  return {
    name: view.name,
    letters: view.letters,
    grey: greyOf(cut, view),
    rows,
    columns,
    width: columns * volume.spacing[across],
    height: rows * volume.spacing[down],
    cells: cellsOf(cut, view),
  }
}

function greyOf(
  { volume, window, lattice, patch }: Cut,
  { through, across, down, flipped }: View,
): Uint8Array {
  const { voxels, shape } = volume
  const strides = [shape[1] * shape[2], shape[2], 1]
  const centre = Math.round(lattice.first[through] + patch[through] * lattice.step[through])
  const [rows, columns] = [window.shape[down], window.shape[across]]
  const start = strides[through] * centre + strides[across] * window.offset[across]
  const grey = new Uint8Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    const row = start + strides[down] * (window.offset[down] + (flipped ? rows - 1 - i : i))
    for (let j = 0; j < columns; j++) grey[i * columns + j] = greyOfHu(voxels[row + strides[across] * j])
  }
  return grey
}

function greyOfHu(hu: number): number {
  const [low, high] = huWindow
  return Math.max(0, Math.min(255, Math.round((255 * (hu - low)) / (high - low))))
}

/** Every patch of the chosen one's layer. */
function cellsOf({ volume, window, lattice, grid, contributions, patch }: Cut, view: View): Cell[] {
  const { across, down, through, flipped } = view
  /** mm from the window's edge to where a patch begins, along an axis; voxels reach half of one around their centre. */
  const begin = (axis: Axis, p: number) =>
    (lattice.first[axis] + (p - 0.5) * lattice.step[axis] + 0.5 - window.offset[axis]) * volume.spacing[axis]
  const [width, height] = [across, down].map((axis) => lattice.step[axis] * volume.spacing[axis])
  const whole = window.shape[down] * volume.spacing[down]
  const cells: Cell[] = []
  for (let i = 0; i < grid[down]; i++) {
    for (let j = 0; j < grid[across]; j++) {
      const at: [number, number, number] = [0, 0, 0]
      at[through] = patch[through]
      at[down] = i
      at[across] = j
      cells.push({
        left: begin(across, j),
        top: flipped ? whole - begin(down, i) - height : begin(down, i),
        width,
        height,
        contribution: contributions[(at[0] * grid[1] + at[1]) * grid[2] + at[2]],
        chosen: i === patch[down] && j === patch[across],
      })
    }
  }
  return cells
}
