/** The parts of the decoders that are used; the packages bring no types of their own. */
interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array
  getDecodedBuffer(): Uint8Array
  decode(): void
  delete(): void
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number }
}

interface WasmOutput {
  print(line: string): void
  printErr(line: string): void
}

declare module "@cornerstonejs/codec-openjpeg/decodewasmjs" {
  export default function load(output: WasmOutput): Promise<{ J2KDecoder: new () => WasmDecoder }>
}

declare module "@cornerstonejs/codec-charls/decodewasmjs" {
  export default function load(output: WasmOutput): Promise<{ JpegLSDecoder: new () => WasmDecoder }>
}

declare module "@cornerstonejs/codec-openjph/wasmjs" {
  export default function load(output: WasmOutput): Promise<{ HTJ2KDecoder: new () => WasmDecoder }>
}

declare module "jpeg-lossless-decoder-js" {
  export class Decoder {
    /** The row it came to; the height when all are decoded. */
    yLoc: number
    decode(bytes: ArrayBuffer, offset: number, length: number): Uint8Array | Uint16Array
  }
}
