import loadCharls from "@cornerstonejs/codec-charls/decodewasmjs"
import loadOpenjpeg from "@cornerstonejs/codec-openjpeg/decodewasmjs"
import loadOpenjph from "@cornerstonejs/codec-openjph/wasmjs"
import { Decoder as JpegLosslessDecoder } from "jpeg-lossless-decoder-js"
import { Fault, reason } from "#shared/errors.ts"
import { checkCodestream } from "./codestream.ts"
import { checkJpegSize, sof3, sof55 } from "./jpeg-header.ts"
import type { PixelFormat } from "./object.ts"
import { decodeRle } from "./rle.ts"
import type { Compression } from "./syntax.ts"

/**
 * Decodes one compressed frame to little-endian samples of 1, 2 or 4 bytes each, rows · columns of them.
 * @throws Fault `damaged-pixels`; a decoder that fails is thrown away, so that the next frame meets a fresh one
 */
export async function decodeFrame(
  codec: Compression,
  frame: Uint8Array,
  format: PixelFormat,
): Promise<Uint8Array> {
  const { rows, columns, bitsAllocated } = format
  try {
    if (codec === "rle") return decodeRle(frame, rows * columns, bitsAllocated >> 3)
    if (codec === "jpeg-lossless") checkJpegSize(frame, sof3, rows, columns)
    else if (codec === "jpeg-ls") checkJpegSize(frame, sof55, rows, columns)
    else checkCodestream(frame, rows, columns)
    if (codec === "jpeg-lossless") return jpegLossless(frame, rows)
    return await wasm(codec, frame, rows, columns)
  } catch (cause) {
    const message = `the compressed pixels are damaged (${said(cause)}): copy the file again from its source`
    throw new Fault("invalid", "damaged-pixels", message, { cause })
  }
}

/** The wasm decoders throw bare numbers, pointers to C++ exceptions. */
function said(thrown: unknown): string {
  return thrown instanceof Error ? reason(thrown) : "the decoder gave up"
}

const endOfImage = Buffer.of(0xff, 0xd9)

/**
 * The decoder looks bytes ahead and drops the last pixels when it meets the end marker there, so zeros are put before
 * it. At damage it stops without a word; how far it came tells.
 */
function jpegLossless(frame: Uint8Array, rows: number): Uint8Array {
  const end = Buffer.from(frame.buffer, frame.byteOffset, frame.length).lastIndexOf(endOfImage)
  if (end < 0) throw new Error("the end marker is missing")
  const padded = new Uint8Array(end + 6)
  padded.set(frame.subarray(0, end))
  padded.set(endOfImage, end + 4)
  const decoder = new JpegLosslessDecoder()
  const { buffer, byteOffset, byteLength } = decoder.decode(padded.buffer, 0, padded.length)
  if (decoder.yLoc < rows) throw new Error("its coded data end early")
  return new Uint8Array(buffer, byteOffset, byteLength)
}

type WasmCodec = "jpeg-ls" | "jpeg2000" | "htj2k"

/** What a decoder complained about since it was last asked. */
const complaints: string[] = []
/** A new one for each module: the factories make it the module itself. Nothing may reach stdout. */
const output = () => ({
  print: () => {},
  printErr: (line: string) => void complaints.push(line),
})

const load: Record<WasmCodec, () => Promise<new () => WasmDecoder>> = {
  "jpeg-ls": async () => (await loadCharls(output())).JpegLSDecoder,
  jpeg2000: async () => (await loadOpenjpeg(output())).J2KDecoder,
  htj2k: async () => (await loadOpenjph(output())).HTJ2KDecoder,
}

const loaded = new Map<WasmCodec, Promise<new () => WasmDecoder>>()

async function wasm(codec: WasmCodec, frame: Uint8Array, rows: number, columns: number): Promise<Uint8Array> {
  const module = loaded.get(codec) ?? load[codec]()
  loaded.set(codec, module)
  const Decoder = await module
  complaints.length = 0
  try {
    const decoder = new Decoder()
    decoder.getEncodedBuffer(frame.length).set(frame)
    decoder.decode()
    const { width, height, componentCount } = decoder.getFrameInfo()
    if (complaints.length > 0) throw new Error("the decoder reports an error")
    if (width !== columns || height !== rows || componentCount !== 1)
      throw new Error(`${height} × ${width} × ${componentCount} decoded`)
    // The buffer is the decoder's own memory, gone with it.
    const samples = decoder.getDecodedBuffer().slice()
    decoder.delete()
    return samples
  } catch (error) {
    loaded.delete(codec)
    throw error
  }
}
