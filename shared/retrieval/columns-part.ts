import * as z from "zod"
import { type Column, codesFor } from "./columns.ts"

const Head = z.array(
  z.object({
    name: z.string(),
    type: z.enum(["number", "string", "boolean", "date", "null"]),
    mixed: z.boolean(),
    /** How many distinct values there are, for numbers; else the values themselves. */
    values: z.union([z.int().nonnegative(), z.array(z.string()), z.array(z.boolean())]),
  }),
)

const aligned = (bytes: number) => Math.ceil(bytes / 8) * 8

/**
 * `columns.bin`, little-endian: the head's length as u32, the head as JSON, then for each column its distinct values,
 * if they are numbers, as f64, and its codes; each of these begins at a multiple of 8 bytes. As it is published it is
 * looked at: as JSON, one column of a million series took 20 to 110 ms to parse.
 */
export function columnsPart(columns: readonly Column[]): Uint8Array<ArrayBuffer> {
  const parts = columns.map(({ type, values, codes }) => ({
    numbers: type === "number" ? Float64Array.from(values as ArrayLike<number>) : undefined,
    codes,
  }))
  const head = new TextEncoder().encode(
    JSON.stringify(
      columns.map(({ name, type, mixed, values }) => ({
        name,
        type,
        mixed,
        values: type === "number" ? values.length : Array.from(values),
      })),
    ),
  )
  const blocks = parts.flatMap(({ numbers, codes }) => (numbers ? [numbers, codes] : [codes]))
  const start = aligned(4 + head.length)
  const bytes = new Uint8Array(blocks.reduce((sum, { byteLength }) => sum + aligned(byteLength), start))
  new DataView(bytes.buffer).setUint32(0, head.length, true)
  bytes.set(head, 4)
  let at = start
  for (const { buffer, byteOffset, byteLength } of blocks) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += aligned(byteLength)
  }
  return bytes
}

/** Columns over the bytes of a part; nothing is copied. @throws RangeError unless they are columns of `count` rows */
export function openColumns(bytes: Uint8Array<ArrayBuffer>, count: number): Column[] {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const head = Head.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))))
  let at = bytes.byteOffset + aligned(4 + length)
  const columns = head.map(({ values: listed, ...about }) => {
    let values: Column["values"]
    if (typeof listed === "number") {
      values = new Float64Array(bytes.buffer, at, listed)
      at += aligned(8 * listed)
    } else values = listed
    const codes = new (codesFor(values.length))(bytes.buffer, at, count)
    at += aligned(codes.byteLength)
    return { ...about, values, codes }
  })
  if (at !== bytes.byteOffset + bytes.length) throw new RangeError(`these are not columns of ${count} rows`)
  return columns
}
