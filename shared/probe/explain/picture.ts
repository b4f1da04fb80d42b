import type { Features } from "#shared/features/features.ts"
import type { Volume } from "#shared/volume/volume.ts"
import { page, side } from "../plot/page.ts"
import { element, text, wrapped } from "../plot/svg.ts"
import type { Explanation } from "./explanation.ts"
import { latticeOf } from "./lattice.ts"
import { encodePng } from "./png.ts"
import { remarksOf, titleOf } from "./remarks.ts"
import { type Slice, slicesOf } from "./slices.ts"
import { colorBar, tintOf } from "./tint.ts"

/** Pixels around a slice for its name and the letters of its sides. */
const around = { side: 20, top: 40, bottom: 20 }
/** Pixels that the slices may take at most, side by side. */
const room = { width: 1100, height: 460 }
/** Tints fainter than this are not seen. */
const faintest = 0.01

/**
 * Three slices of a scan through the patch that speaks most for the answer, with what each patch adds laid over the voxels
 * it was read from: an SVG document.
 * @param volume the one that the features are of
 */
export function explanationPicture(
  { volume, features }: { volume: Volume; features: Features },
  { explanation, contributions }: { explanation: Explanation; contributions: Float64Array },
): string {
  const { grid, receipt } = features
  const lattice = latticeOf(volume.affine, receipt.gridToPatient)
  const patch = explanation.for[0]?.patch ?? [grid[0] >> 1, grid[1] >> 1, grid[2] >> 1]
  const window = receipt.preprocess.crop
  const slices = slicesOf({ volume, window, lattice, grid, contributions, patch })
  const limit = contributions.reduce((most, c) => Math.max(most, Math.abs(c)), 0) || 1

  const total = slices.reduce((sum, { width }) => sum + width, 0)
  const highest = Math.max(...slices.map(({ height }) => height))
  /** Pixels per mm, the same in all three. */
  const scale = Math.min(room.width / total, room.height / highest)
  const lefts = slices.map((_, i) =>
    slices.slice(0, i).reduce((x, { width }) => x + width * scale + 2 * around.side, side + around.side),
  )
  const width = Math.max(720, Math.ceil(total * scale + 6 * around.side + 2 * side))
  const patchMm = lattice.step.map((step, axis) => step * volume.spacing[axis])
  const remarks = remarksOf(explanation, receipt, patchMm).flatMap((words) =>
    wrapped(words, width - 2 * side, 12),
  )
  const { probe, version, series } = explanation
  const caption = {
    title: titleOf(explanation),
    subtitle: `probe ${probe}, version ${version}, series ${series}`,
  }
  return page(caption, width, (top) => {
    const below = top + around.top + highest * scale + around.bottom + 24
    const notes = below + 70
    return {
      height: Math.ceil(notes + 17 * remarks.length + 4),
      content: [
        ...slices.map((slice, i) =>
          drawSlice(slice, { left: lefts[i], top: top + around.top, scale, limit }),
        ),
        ruler(side + around.side, below, scale, total / 3),
        colorBar(side + around.side + 160, below, limit, `what a patch adds (${explanation.unit})`),
        ...remarks.map((words, i) => text(side, notes + 17 * i, words, { size: 12, color: "#444" })),
      ],
    }
  })
}

interface Placed {
  left: number
  top: number
  /** Pixels per mm. */
  scale: number
  limit: number
}

function drawSlice({ name, letters, ...slice }: Slice, { left, top, scale, limit }: Placed): string {
  const box = { x: left, y: top, width: slice.width * scale, height: slice.height * scale }
  const png = Buffer.from(encodePng(slice.grey, slice.columns, slice.rows)).toString("base64")
  const cells = slice.cells.map((cell) => ({
    x: left + cell.left * scale,
    y: top + cell.top * scale,
    width: cell.width * scale,
    height: cell.height * scale,
  }))
  const tints = slice.cells.flatMap(({ contribution }, i) => {
    const tint = tintOf(contribution, limit)
    return tint["fill-opacity"] < faintest ? [] : [element("rect", { ...cells[i], ...tint })]
  })
  const chosen = cells[slice.cells.findIndex((cell) => cell.chosen)]
  const [middle, centre] = [top + box.height / 2 + 5, left + box.width / 2]
  const letter = (x: number, y: number, words: string) =>
    text(x, y, words, { anchor: "middle", color: "#555" })
  return [
    text(left, top - 22, name, { weight: "bold" }),
    element("image", {
      ...box,
      preserveAspectRatio: "none",
      href: `data:image/png;base64,${png}`,
    }),
    // Without smoothing, so that no seams show between cells that touch.
    element("g", { "shape-rendering": "crispEdges" }, ...tints),
    element("rect", { ...chosen, fill: "none", stroke: "#000", "stroke-width": 3 }),
    element("rect", { ...chosen, fill: "none", stroke: "#fff", "stroke-width": 1.5 }),
    letter(left - 10, middle, letters.left),
    letter(left + box.width + 10, middle, letters.right),
    letter(centre, top - 6, letters.top),
    letter(centre, top + box.height + 15, letters.bottom),
  ].join("")
}

/** A bar of as many round millimetres as `most` holds, in the scale of the slices. */
function ruler(left: number, y: number, scale: number, most: number): string {
  const mm = [100, 50, 20, 10, 5].find((length) => length <= most && length * scale <= 130) ?? 1
  const d = `M${left},${y + 10} v12 M${left},${y + 16} h${mm * scale} M${left + mm * scale},${y + 10} v12`
  return [
    text(left, y, `${mm} mm`, { size: 12, color: "#444" }),
    element("path", { d, stroke: "#222", "stroke-width": 2, fill: "none" }),
  ].join("")
}
