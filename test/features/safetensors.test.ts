import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { describe, expect, test } from "vitest"
import { Fault } from "#shared/errors.ts"
import { fromHalf, toHalf } from "#shared/features/float16.ts"
import { readTensors, writeTensors } from "#shared/features/safetensors.ts"

const damaged = (what: string) => new Fault("invalid", "damaged", what)

test("reads what Python's safetensors wrote", () => {
  // safetensors.numpy.save_file, version 0.8.0: cls and mean float32, patches = arange(24, float16) / 8 − 1
  const file = readFileSync(resolve(import.meta.dirname, "python.safetensors"))
  const { metadata, tensors } = readTensors(file, damaged)
  expect(metadata).toEqual({ format: "made by Python", note: 'ä "quoted"' })
  expect([...tensors.keys()]).toEqual(["cls", "mean", "patches"])
  expect([...tensors.get("cls")!.data]).toEqual([1.5, -2.25, Math.fround(3e-5)])
  expect([...tensors.get("mean")!.data]).toEqual([0.5, 0.25, -0.125])
  const patches = tensors.get("patches")!
  expect(patches.shape).toEqual([2, 2, 2, 3])
  expect([...fromHalf(patches.data as Uint16Array)]).toEqual(Array.from({ length: 24 }, (_, i) => i / 8 - 1))
})

test("reads what it wrote, from wherever the bytes lie in memory", () => {
  const a = { dtype: "F16", shape: [3], data: toHalf(Float32Array.of(1, 2, 3)) } as const
  const b = { dtype: "F32", shape: [1, 2], data: Float32Array.of(-0.1, 1e30) } as const
  for (const pad of ["", "x", "xx", "xxxxxxx"]) {
    // F16 first: the float32 values start at an odd multiple of 2.
    const file = writeTensors(
      [
        ["a", a],
        ["b", b],
      ],
      { pad },
    )
    expect(Number(new DataView(file.buffer).getBigUint64(0, true)) % 8).toBe(0)
    const shifted = new Uint8Array(file.length + 1)
    shifted.set(file, 1)
    for (const bytes of [file, shifted.subarray(1)]) {
      const { metadata, tensors } = readTensors(bytes, damaged)
      expect(metadata).toEqual({ pad })
      expect([...tensors]).toEqual([
        ["a", a],
        ["b", b],
      ])
    }
  }
})

test("a tensor whose shape is not its data's is not written", () => {
  const data = Float32Array.of(1, 2)
  expect(() => writeTensors([["a", { dtype: "F32", shape: [3], data }]], {})).toThrow("tensor a has 2 values")
})

describe("refuses", () => {
  const file = (header: string, length = BigInt(header.length)) => {
    const start = Buffer.alloc(8)
    start.writeBigUInt64LE(length)
    return Buffer.concat([start, Buffer.from(header, "latin1")])
  }
  const tensor = (begin: number, end: number, shape: unknown = [2], dtype = "F32") =>
    JSON.stringify({ dtype, shape, data_offsets: [begin, end] })

  test.each([
    ["an empty file", Buffer.alloc(0), "first 8 bytes"],
    ["a header longer than any", file("{}", 2n ** 63n), "claims 9223372036854775808 bytes"],
    ["a header cut short", file('{"a":', 400n), "within its header"],
    ["a list", file("[1,2]"), "'{'"],
    ["no JSON", file('{"a":}'), "not JSON"],
    ["no UTF-8", file('{"\xff":1}'), "not JSON"],
    ["a type it does not know", file(`{"a":${tensor(0, 4, [2], "BF16")}}`), "a.dtype"],
    ["a negative size", file(`{"a":${tensor(0, 8, [-2])}}`), "a.shape.0"],
    ["metadata that is no text", file('{"__metadata__":{"a":1}}'), "__metadata__.a"],
    ["a shape of other size", file(`{"a":${tensor(0, 12)}}`), "tensor 'a'"],
    ["a gap", file(`{"a":${tensor(0, 8)},"b":${tensor(12, 20)}}`), "tensor 'b'"],
    ["an overlap", file(`{"a":${tensor(0, 8)},"b":${tensor(4, 12)}}`), "tensor 'b'"],
    ["a start after the first byte", file(`{"a":${tensor(8, 16)}}`), "tensor 'a'"],
    ["an end before its start", file(`{"a":${tensor(8, 0)}}`), "tensor 'a'"],
    ["a file cut short", file(`{"a":${tensor(0, 8)}}`), "it has 62 bytes and should have 70"],
    ["a product beyond 2^53", file(`{"a":${tensor(0, 8, [2 ** 40, 2 ** 40])}}`), "tensor 'a'"],
  ])("%s", (_name, bytes, words) => {
    expect(() => readTensors(bytes, damaged)).toThrow(words)
    expect(() => readTensors(bytes, damaged)).toThrow(Fault)
  })
})
