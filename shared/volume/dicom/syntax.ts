import { Fault } from "#shared/errors.ts"

export type Compression = "rle" | "jpeg-lossless" | "jpeg-ls" | "jpeg2000" | "htj2k"
export type Codec = "native" | Compression

const base = "1.2.840.10008.1.2"

/** Transfer syntaxes (PS3.6 annex A) whose pixels can be read. */
const codecs: Record<string, Codec> = {
  [base]: "native",
  [`${base}.1`]: "native",
  [`${base}.1.99`]: "native",
  [`${base}.2`]: "native",
  [`${base}.5`]: "rle",
  [`${base}.4.57`]: "jpeg-lossless",
  [`${base}.4.70`]: "jpeg-lossless",
  [`${base}.4.80`]: "jpeg-ls",
  [`${base}.4.81`]: "jpeg-ls",
  [`${base}.4.90`]: "jpeg2000",
  [`${base}.4.91`]: "jpeg2000",
  [`${base}.4.201`]: "htj2k",
  [`${base}.4.202`]: "htj2k",
  [`${base}.4.203`]: "htj2k",
}

/** Names for the ones that cannot, where the number alone says little. */
const unreadable: Record<string, string> = {
  [`${base}.4.50`]: "8-bit lossy JPEG",
  [`${base}.4.51`]: "12-bit lossy JPEG",
  [`${base}.4.92`]: "JPEG 2000 Part 2",
  [`${base}.4.93`]: "JPEG 2000 Part 2",
}

export const implicitLittle = base
export const explicitLittle = `${base}.1`
export const explicitBig = `${base}.2`
export const deflated = `${base}.1.99`

/** @throws Fault `unsupported-syntax` naming the transfer syntax and the remedy */
export function codecOf(syntax: string): Codec {
  const codec = codecs[syntax]
  if (codec) return codec
  const name = unreadable[syntax] ?? "not one of the known image encodings"
  throw new Fault(
    "invalid",
    "unsupported-syntax",
    `the pixels are stored in transfer syntax ${/^[0-9.]+$/.test(syntax) ? syntax : "(unreadable)"} (${name}), which cannot be decoded: store the series again uncompressed (1.2.840.10008.1.2.1) or losslessly compressed, for instance with dcmdjpeg or gdcmconv --raw`,
  )
}
