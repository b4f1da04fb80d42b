import { describe, expect, test } from "vitest"
import { Fault } from "#shared/errors.ts"
import { decodeFeatures, decodePooled, encodeFeatures, pooledEnd } from "#shared/features/encode.ts"
import { fromHalf, toHalf } from "#shared/features/float16.ts"
import { readHeader, writeTensors } from "#shared/features/safetensors.ts"
import { sampleFeatures } from "./sample.ts"

const features = sampleFeatures([2, 3, 2], 5)
const file = encodeFeatures(features)

test("comes back as it was, but for float16 patches", () => {
  const { patches, ...others } = features
  expect(decodeFeatures(file, "f")).toEqual({ ...others, patches: fromHalf(toHalf(patches)) })
})

test("the head of the file gives the pooled features: cls, mean, then patches", () => {
  const { tensors } = readHeader(file, (what) => new Fault("invalid", "damaged", what))
  expect([...tensors.keys()]).toEqual(["cls", "mean", "patches"])
  const end = pooledEnd(file, "f")
  expect(file.length - end).toBe(2 * features.patches.length)
  const { cls, mean, receipt } = features
  expect(decodePooled(file.subarray(0, end), "f")).toEqual({ cls, mean, receipt })
})

test("values that cannot be kept are a fault that names encoder and series", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 65_520]) {
    const patches = features.patches.with(7, value)
    expect(() => encodeFeatures({ ...features, patches })).toThrow(
      expect.objectContaining({ kind: "invalid", code: "non-finite-features" }),
    )
  }
  const cls = features.cls.with(0, Number.NaN)
  expect(() => encodeFeatures({ ...features, cls })).toThrow(
    /fake-0123456789ab.*s-0123456789abcdef0123456789abcdef/,
  )
  // A mean is float32: it may be beyond what float16 holds.
  expect(() => encodeFeatures({ ...features, cls: features.cls.with(0, 1e9) })).not.toThrow()
})

describe("damage never passes", () => {
  const refused = (bytes: Uint8Array) => {
    try {
      decodeFeatures(bytes, "features/e/s.safetensors")
    } catch (thrown) {
      return (
        thrown instanceof Fault && thrown.code === "corrupt-features" && thrown.message.includes("e/s.safe")
      )
    }
    return false
  }

  test("any flipped bit", () => {
    const passed: number[] = []
    for (let bit = 0; bit < file.length * 8; bit++) {
      const bytes = file.slice()
      bytes[bit >> 3] ^= 1 << (bit & 7)
      if (!refused(bytes)) passed.push(bit)
    }
    expect(passed).toEqual([])
  })
  test("any length but its own", () => {
    const passed: number[] = []
    for (let length = 0; length < file.length; length++)
      if (!refused(file.subarray(0, length))) passed.push(length)
    expect(passed).toEqual([])
    expect(refused(Buffer.concat([file, Buffer.alloc(1)]))).toBe(true)
  })
  test("another safetensors file", () => {
    const data = Float32Array.of(1, 2)
    const other = writeTensors([["weight", { dtype: "F32", shape: [2], data }]], { format: "pt" })
    expect(() => decodeFeatures(other, "f")).toThrow("its format is 'pt'")
    const nearly = writeTensors([["cls", { dtype: "F32", shape: [2], data }]], {
      format: "voxkin-features-1",
    })
    expect(() => decodeFeatures(nearly, "f")).toThrow("it holds cls F32 1")
  })
})
