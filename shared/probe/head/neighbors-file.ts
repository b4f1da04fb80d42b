import * as z from "zod"
import type { Damaged, Tensor } from "#shared/features/safetensors.ts"
import type { NeighborHead } from "./neighbors.ts"

// Numbers as they were given: neighbors are told as evidence, and float32 would change them.
const numbers = z.array(z.number()).transform((values) => Float64Array.from(values))
const Known = z.discriminatedUnion("of", [
  z.object({ of: z.literal("class"), target: numbers, classes: z.int().min(2) }),
  z.object({ of: z.literal("value"), target: numbers }),
  z.object({
    of: z.literal("time"),
    target: numbers,
    event: z.array(z.literal([0, 1])).transform((values) => Uint8Array.from(values)),
    horizon: z.number().positive(),
  }),
])

/** What the file's metadata holds in words: `count`, `series` (one per line) and `known` (JSON). */
export function metadataOf({ count, known, series }: NeighborHead): Record<string, string> {
  const plain = (_: string, value: unknown) =>
    ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value
  return { count: String(count), series: series.join("\n"), known: JSON.stringify(known, plain) }
}

/** The tensors of a neighbor head: the training rows [rows, columns], mean and scale [columns], all F32, exact. */
export function tensorsOf({ mean, scale, points, series }: NeighborHead): [string, Tensor][] {
  const columns = mean.length
  return [
    ["points", { dtype: "F32", shape: [series.length, columns], data: points }],
    ["mean", { dtype: "F32", shape: [columns], data: Float32Array.from(mean) }],
    ["scale", { dtype: "F32", shape: [columns], data: Float32Array.from(scale) }],
  ]
}

/** What is known of the rows, and which they are. @throws what `damaged` makes of metadata that do not fit together */
export function knownFrom(
  metadata: Record<string, string>,
  damaged: Damaged,
): Pick<NeighborHead, "count" | "known" | "series"> {
  const parsed = Known.safeParse(jsonOf(metadata.known))
  if (!parsed.success) throw damaged("its 'known' does not fit the format", parsed.error)
  const known = parsed.data
  const series = (metadata.series ?? "").split("\n")
  const count = Number(metadata.count)
  const rows = known.target.length
  const fits =
    series.length === rows &&
    count >= 1 &&
    count <= rows &&
    (known.of !== "time" || known.event.length === rows) &&
    (known.of !== "class" || known.target.every((k) => Number.isInteger(k) && k >= 0 && k < known.classes))
  if (!fits) throw damaged(`its ${rows} labels do not fit its series, its classes or its count`)
  return { count, known, series }

  function jsonOf(text = ""): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw damaged("its 'known' is not JSON", cause)
    }
  }
}
