import { blockRows, type Marks, openMarks } from "#shared/kernel/marks.ts"
import type { Bound } from "./filter-bound.ts"
import { joined } from "./row-lists.ts"

/** The rows of `count` that pass, ascending, after a look at the codes of all. */
export function marked(bound: Bound, count: number): Uint32Array<ArrayBuffer> {
  marks ??= openMarks()
  const found: Uint32Array[] = []
  for (let first = 0; first < count; first += blockRows) {
    const end = Math.min(count, first + blockRows)
    evaluate(bound, { marks, first, end }, 0)
    found.push(marks.rows(0, first, end - first).slice())
  }
  return joined(found)
}

/** Nobody else's between two turns of the event loop. */
let marks: Marks | undefined

/** Rows from `first` up to before `end`. */
interface Block {
  marks: Marks
  first: number
  end: number
}

/** Marks the rows of a block that pass, in this slot; those after it may be used. */
function evaluate(bound: Bound, block: Block, slot: number): void {
  const { marks, first, end } = block
  if (bound.kind === "test") {
    marks.mark(slot, bound.column.codes.subarray(first, end), bound.runs)
    return
  }
  evaluate(bound.of[0], block, slot)
  for (const part of bound.of.slice(1)) {
    evaluate(part, block, slot + 1)
    marks[bound.kind](slot, slot + 1)
  }
}
