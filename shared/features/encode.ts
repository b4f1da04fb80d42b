import { Fault } from "#shared/errors.ts"
import { sha256 } from "#shared/ids.ts"
import { type Features, type Pooled, Receipt } from "./features.ts"
import { allFinite, fromHalf, toHalf } from "./float16.ts"
import {
  type Damaged,
  type Header,
  headerEnd,
  readHeader,
  readWholeHeader,
  type Tensor,
  type TensorPlace,
  tensorAt,
  writeTensors,
} from "./safetensors.ts"

const format = "voxkin-features-1"
/** Room for the two pooled vectors of any encoder up to dim 8192 after a header whose length only is known. */
const pooledRoom = 65_536

/**
 * One safetensors file: `cls` and `mean` (F32) first, so that the head of the file gives them, `patches` (F16) last;
 * the receipt as JSON in the metadata, with digests, as the format itself would not notice a flipped bit.
 * @throws Fault `non-finite-features` when a value is NaN, infinite, or too large for float16 (beyond ±65 504)
 */
export function encodeFeatures({ cls, mean, patches, grid, receipt }: Features): Uint8Array {
  const halves = toHalf(patches)
  if (!cls.every(Number.isFinite) || !mean.every(Number.isFinite) || !allFinite(halves)) {
    throw new Fault(
      "invalid",
      "non-finite-features",
      `encoder ${receipt.encoder.id} returned values for ${receipt.series} that are not finite or beyond ±65504: export the encoder again, or use another one`,
    )
  }
  const dim = cls.length
  const text = JSON.stringify(receipt)
  const metadata = {
    format,
    receipt: text,
    pooledSha256: pooledDigest(text, cls, mean),
    patchesSha256: sha256(rawBytes(halves)),
  }
  return writeTensors(
    [
      ["cls", { dtype: "F32", shape: [dim], data: cls }],
      ["mean", { dtype: "F32", shape: [dim], data: mean }],
      ["patches", { dtype: "F16", shape: [...grid, dim], data: halves }],
    ],
    metadata,
  )
}

/** Reads a whole features file. @param name of the file, for the Fault `corrupt-features` */
export function decodeFeatures(bytes: Uint8Array, name: string): Features {
  const damaged = corrupt(name)
  const header = readWholeHeader(bytes, damaged)
  const places = placesOf(header, damaged)
  const pooled = pooledAt(bytes, header, places, damaged)
  const halves = tensorAt(bytes, places.patches).data as Uint16Array
  if (sha256(rawBytes(halves)) !== header.metadata.patchesSha256)
    throw damaged("its patches are not those that were written")
  const [gz, gy, gx] = places.patches.shape
  return { ...pooled, patches: fromHalf(halves), grid: [gz, gy, gx] }
}

/** How many bytes of the file hold everything but the patches, as far as this much of its head tells. */
export function pooledEnd(head: Uint8Array, name: string): number {
  const damaged = corrupt(name)
  const end = headerEnd(head, damaged)
  if (head.length < end) return end + pooledRoom
  return placesOf(readHeader(head, damaged), damaged).mean.end
}

/** Reads the pooled features from the first `pooledEnd` bytes of a file. @throws Fault `corrupt-features` */
export function decodePooled(head: Uint8Array, name: string): Pooled {
  const damaged = corrupt(name)
  const header = readHeader(head, damaged)
  return pooledAt(head, header, placesOf(header, damaged), damaged)
}

export function corrupt(name: string): Damaged {
  return (what, cause) =>
    new Fault(
      "unavailable",
      "corrupt-features",
      `${name} is damaged: ${what}. Delete it and add the series again`,
      { cause },
    )
}

type Places = Record<"cls" | "mean" | "patches", TensorPlace>

/** The three tensors, in the types, shapes and order that `encodeFeatures` gives them. */
function placesOf({ metadata, tensors }: Header, damaged: Damaged): Places {
  if (metadata.format !== format) throw damaged(`its format is '${metadata.format}', not '${format}'`)
  const found = [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype} ${shape.length}`).join(", ")
  if (found !== "cls F32 1, mean F32 1, patches F16 4") throw damaged(`it holds ${found}`)
  const [cls, mean, patches] = [...tensors.values()]
  const dim = cls.shape[0]
  if (mean.shape[0] !== dim || patches.shape[3] !== dim) throw damaged("its tensors differ in dim")
  return { cls, mean, patches }
}

function pooledAt(bytes: Uint8Array, { metadata }: Header, places: Places, damaged: Damaged): Pooled {
  if (bytes.length < places.mean.end) throw damaged("it ends before its patches")
  // Copies: two small vectors must not keep a whole file in memory.
  const cls = Float32Array.from(tensorAt(bytes, places.cls).data)
  const mean = Float32Array.from(tensorAt(bytes, places.mean).data)
  if (pooledDigest(metadata.receipt ?? "", cls, mean) !== metadata.pooledSha256)
    throw damaged("its receipt, cls or mean is not what was written")
  return { cls, mean, receipt: parseReceipt(metadata.receipt, damaged) }
}

function parseReceipt(text: string, damaged: Damaged): Receipt {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw damaged("its receipt is not JSON", cause)
  }
  const parsed = Receipt.safeParse(json)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]
  throw damaged(`its receipt does not fit the schema at '${path.join(".")}': ${message}`, parsed.error)
}

function pooledDigest(receipt: string, cls: Float32Array, mean: Float32Array): string {
  return sha256([sha256(receipt), sha256(rawBytes(cls)), sha256(rawBytes(mean))].join(" "))
}

function rawBytes({ buffer, byteOffset, byteLength }: Tensor["data"]): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
