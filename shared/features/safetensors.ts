import * as z from "zod"
import type { Fault } from "#shared/errors.ts"

/**
 * The safetensors format (huggingface/safetensors README, "Format"): 8 bytes little endian, the length N of the header;
 * N bytes of JSON, padded with spaces; the tensors' bytes, little endian, without gaps. F32 and F16 only.
 */
export type Tensor =
  | { dtype: "F32"; shape: readonly number[]; data: Float32Array }
  /** float16 as its bits */
  | { dtype: "F16"; shape: readonly number[]; data: Uint16Array }

/** Where a tensor lies; offsets in bytes from the start of the file. */
export interface TensorPlace {
  dtype: Tensor["dtype"]
  shape: number[]
  start: number
  end: number
}

export interface Header {
  metadata: Record<string, string>
  /** In the order of their bytes. */
  tensors: Map<string, TensorPlace>
  /** Bytes of the whole file, as the header has it. */
  fileSize: number
}

/** Makes the Fault for a file that is not what it should be; `what` completes "the file is damaged: …". */
export type Damaged = (what: string, cause?: unknown) => Fault

/** Headers beyond this are refused, by the format's own library too. */
const headerLimit = 100_000_000
const bytesOf = { F32: 4, F16: 2 } as const

const HeaderJson = z.object({ __metadata__: z.record(z.string(), z.string()).optional() }).catchall(
  z.strictObject({
    dtype: z.enum(["F32", "F16"]),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
)

/** Bytes from the start of the file to the end of its header; needs the first 8. */
export function headerEnd(head: Uint8Array, damaged: Damaged): number {
  if (head.length < 8) throw damaged("it ends within its first 8 bytes")
  const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true)
  if (length > headerLimit) throw damaged(`its header claims ${length} bytes`)
  return 8 + Number(length)
}

/**
 * Reads the header and checks that the tensors lie one after the other and have the bytes that their shapes need.
 * @param head the file, or as much of its start as holds the header
 */
export function readHeader(head: Uint8Array, damaged: Damaged): Header {
  const dataStart = headerEnd(head, damaged)
  if (head.length < dataStart) throw damaged("it ends within its header")
  const { __metadata__: metadata = {}, ...entries } = parseJson(head.subarray(8, dataStart), damaged)

  const tensors = new Map<string, TensorPlace>()
  let at = 0
  const ordered = Object.entries(entries).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0])
  for (const [name, { dtype, shape, data_offsets }] of ordered) {
    const size = shape.reduce((product, n) => product * n, bytesOf[dtype])
    if (data_offsets[0] !== at || data_offsets[1] !== at + size)
      throw damaged(`the offsets of tensor '${name}' do not fit its shape and its neighbours`)
    tensors.set(name, { dtype, shape, start: dataStart + at, end: dataStart + at + size })
    at += size
  }
  return { metadata, tensors, fileSize: dataStart + at }
}

function parseJson(bytes: Uint8Array, damaged: Damaged): z.infer<typeof HeaderJson> {
  if (bytes[0] !== 0x7b) throw damaged("its header does not start with '{'")
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw damaged("its header is not JSON", cause)
  }
  const parsed = HeaderJson.safeParse(json)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]
  throw damaged(`its header does not fit the format at '${path.join(".")}': ${message}`, parsed.error)
}

/** The values of one tensor; a view into `bytes` where its alignment allows. */
export function tensorAt(bytes: Uint8Array, { dtype, shape, start, end }: TensorPlace): Tensor {
  let part = bytes.subarray(start, end)
  if (part.byteOffset % bytesOf[dtype] !== 0) part = part.slice()
  const { buffer, byteOffset } = part
  const count = (end - start) / bytesOf[dtype]
  return dtype === "F32"
    ? { dtype, shape, data: new Float32Array(buffer, byteOffset, count) }
    : { dtype, shape, data: new Uint16Array(buffer, byteOffset, count) }
}

/** Reads the header of a whole file, and checks that the file has exactly the bytes the header speaks of. */
export function readWholeHeader(file: Uint8Array, damaged: Damaged): Header {
  const header = readHeader(file, damaged)
  if (file.length !== header.fileSize)
    throw damaged(`it has ${file.length} bytes and should have ${header.fileSize}`)
  return header
}

/** Reads every tensor of a whole file. @throws what `damaged` makes, unless it is an intact file of F32 and F16 tensors */
export function readTensors(
  file: Uint8Array,
  damaged: Damaged,
): { metadata: Record<string, string>; tensors: Map<string, Tensor> } {
  const { metadata, tensors } = readWholeHeader(file, damaged)
  return { metadata, tensors: new Map([...tensors].map(([name, place]) => [name, tensorAt(file, place)])) }
}

/** One file of these tensors, their bytes in the order given, starting at a multiple of 8. */
export function writeTensors(
  tensors: readonly (readonly [name: string, tensor: Tensor])[],
  metadata: Record<string, string>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let at = 0
  for (const [name, { dtype, shape, data }] of tensors) {
    if (data.length !== shape.reduce((product, n) => product * n, 1))
      throw new Error(`tensor ${name} has ${data.length} values, which do not fill ${shape.join(" × ")}`)
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] }
    at += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const dataStart = 8 + Math.ceil(json.length / 8) * 8
  const file = new Uint8Array(dataStart + at)
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - 8), true)
  file.set(json, 8)
  file.fill(0x20, 8 + json.length, dataStart)
  let start = dataStart
  for (const [, { data }] of tensors) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start)
    start += data.byteLength
  }
  return file
}
