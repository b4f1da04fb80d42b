import { beforeAll, describe, expect, test } from "vitest"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore } from "#shared/store/store.ts"

export interface ObjectStoreFacts {
  /** Whether `a` and `a/b` may both be objects. No key of ours asks for it. */
  keyBelowKey: "kept" | "refused"
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (found: { bytes: Uint8Array } | undefined) => found && new TextDecoder().decode(found.bytes)
const isUnmet = (thrown: unknown) => thrown instanceof Fault && thrown.code === "precondition-failed"

/** What every ObjectStore promises. `open` gives a new view, each time, of one store that starts empty. */
export function objectStoreContract(
  name: string,
  open: () => Promise<ObjectStore>,
  { keyBelowKey }: ObjectStoreFacts,
): void {
  describe(`${name} keeps the promises of an ObjectStore`, () => {
    let store: ObjectStore
    beforeAll(async () => {
      store = await open()
    })

    test("an empty store has nothing", async () => {
      expect(await store.list("")).toEqual([])
      expect(await store.get("none/here")).toBeUndefined()
      expect(await store.get("none/here", { start: 0, end: 4 })).toBeUndefined()
      expect(await store.get("none/here", { start: 2, end: 2 })).toBeUndefined()
      expect(await store.has("none/here")).toBe(false)
      await store.delete("none/here")
    })

    test("gives back every byte it was given, and none of its own", async () => {
      const every = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256)
      const etag = await store.put("bytes/every", every)
      const found = await store.get("bytes/every")
      expect(found?.etag).toBe(etag)
      expect(Buffer.compare(found!.bytes, every)).toBe(0)
      expect(found!.bytes.byteOffset, "callers lay a Float32Array over it").toBe(0)
      expect(found!.bytes.constructor).toBe(Uint8Array)
    })

    test("writes a view, not the buffer behind it", async () => {
      await store.put("bytes/view", bytes("0123456789").subarray(3, 6))
      expect(text(await store.get("bytes/view"))).toBe("345")
    })

    test("an empty object is there", async () => {
      const etag = await store.put("bytes/empty", new Uint8Array(0))
      expect(await store.has("bytes/empty")).toBe(true)
      for (const range of [undefined, { start: 0, end: 0 }, { start: 0, end: 9 }, { start: 5, end: 9 }]) {
        const found = await store.get("bytes/empty", range)
        expect(found).toMatchObject({ etag })
        expect(found!.bytes.length).toBe(0)
      }
    })

    test("reads a range: within, over the end, beyond it, of no length", async () => {
      const etag = await store.put("bytes/range", bytes("0123456789"))
      const part = async (start: number, end: number) => {
        const found = await store.get("bytes/range", { start, end })
        expect(found?.etag, "the whole object's").toBe(etag)
        return text(found)
      }
      expect(await part(0, 4)).toBe("0123")
      expect(await part(9, 10)).toBe("9")
      expect(await part(7, 100)).toBe("789")
      expect(await part(10, 20)).toBe("")
      expect(await part(4, 4)).toBe("")
    })

    test("reads a range into a place of the caller's, and touches nothing beside it", async () => {
      const etag = await store.put("bytes/into", bytes("0123456789"))
      for (const [start, end, expected] of [
        [2, 6, "2345"],
        [7, 11, "789"],
        [10, 13, ""],
        [4, 4, ""],
      ] as const) {
        const room = new Uint8Array(20).fill(46)
        const into = room.subarray(8, 13)
        const found = (await store.get("bytes/into", { start, end, into }))!
        expect([found.etag, text(found), found.bytes.buffer]).toEqual([etag, expected, room.buffer])
        expect(text({ bytes: room })).toBe(`........${expected.padEnd(12, ".")}`)
      }
      expect(await store.get("bytes/none", { start: 0, end: 4, into: new Uint8Array(4) })).toBeUndefined()
      const narrow = { start: 0, end: 4, into: new Uint8Array(3) }
      await expect(store.get("bytes/into", narrow)).rejects.toMatchObject({ code: "bad-range" })
    })

    test.each([
      [-1, 4],
      [4, 2],
      [0, 1.5],
      [0, Number.NaN],
    ])("refuses the range %d to %d", async (start, end) => {
      await expect(store.get("bytes/range", { start, end })).rejects.toMatchObject({ code: "bad-range" })
    })

    test.each([
      "",
      "/a",
      "a/",
      "a//b",
      "../a",
      "a/../b",
      ".hidden",
      "a\\b",
      "a b",
      "a\nb",
      "ä",
      "a\0",
      "x".repeat(201),
      `${"ab/".repeat(200)}c`,
    ])("refuses the key %j everywhere", async (key) => {
      const refused = { kind: "invalid", code: "bad-key" }
      await expect(store.get(key)).rejects.toMatchObject(refused)
      await expect(store.put(key, bytes("x"))).rejects.toMatchObject(refused)
      await expect(store.has(key)).rejects.toMatchObject(refused)
      await expect(store.delete(key)).rejects.toMatchObject(refused)
    })

    test("overwrites, and names each version by another tag", async () => {
      const first = await store.put("over/write", bytes("one"))
      const second = await store.put("over/write", bytes("two"))
      expect(second).not.toBe(first)
      expect(await store.get("over/write")).toEqual({ bytes: bytes("two"), etag: second })
    })

    test("deletes, twice without complaint", async () => {
      await store.put("gone/a", bytes("a"))
      await store.delete("gone/a")
      await store.delete("gone/a")
      expect(await store.has("gone/a")).toBe(false)
      expect(await store.list("gone/")).toEqual([])
      await store.put("gone", bytes("the name of an emptied folder is free"))
    })

    test("lists what starts with a prefix, sorted by code unit", async () => {
      const names = ["Z", "a", "a-b", "a.b", "a0", "b/c", "b/c-d", "b/cd", "b-c", "bc"]
      for (const key of names) await store.put(`list/${key}`, bytes(key))
      const under = async (prefix: string) =>
        (await store.list(`list/${prefix}`)).map((key) => key.slice("list/".length))
      expect(await under("")).toEqual(["Z", "a", "a-b", "a.b", "a0", "b-c", "b/c", "b/c-d", "b/cd", "bc"])
      expect(await under("b/")).toEqual(["b/c", "b/c-d", "b/cd"])
      expect(await under("b")).toEqual(["b-c", "b/c", "b/c-d", "b/cd", "bc"])
      expect(await under("b/c")).toEqual(["b/c", "b/c-d", "b/cd"])
      expect(await under("nothing")).toEqual([])
      expect(await store.list("lis")).toHaveLength(names.length)
      await expect(store.list("../")).rejects.toMatchObject({ code: "bad-key" })
    })

    test("lists more keys than one page of S3 holds", async () => {
      const names = Array.from({ length: 1100 }, (_, i) => `many/${i % 7}/${i}`)
      for (let i = 0; i < names.length; i += 50)
        await Promise.all(names.slice(i, i + 50).map((key) => store.put(key, bytes(key))))
      expect(await store.list("many/")).toEqual(names.sort())
    }, 60_000)

    test("ifAbsent writes where nothing is, and only there", async () => {
      const etag = await store.put("once/a", bytes("first"), { ifAbsent: true })
      await expect(store.put("once/a", bytes("second"), { ifAbsent: true })).rejects.toSatisfy(isUnmet)
      expect(await store.get("once/a")).toEqual({ bytes: bytes("first"), etag })
      await store.delete("once/a")
      await store.put("once/a", bytes("third"), { ifAbsent: true })
      expect(text(await store.get("once/a"))).toBe("third")
    })

    test("of twenty that write at once with ifAbsent exactly one wins", async () => {
      const views = await Promise.all(Array.from({ length: 20 }, open))
      const done = await Promise.allSettled(
        views.map((view, i) => view.put("once/race", bytes(`${i}`), { ifAbsent: true })),
      )
      const winners = done.flatMap((end, i) => (end.status === "fulfilled" ? [i] : []))
      expect(winners).toHaveLength(1)
      expect(done.filter((end) => end.status === "rejected" && isUnmet(end.reason))).toHaveLength(19)
      expect(text(await store.get("once/race"))).toBe(`${winners[0]}`)
    })

    test("ifMatch writes over the version that was read, and no other", async () => {
      const first = await store.put("match/a", bytes("1"))
      const second = await store.put("match/a", bytes("2"), { ifMatch: first })
      await expect(store.put("match/a", bytes("3"), { ifMatch: first })).rejects.toSatisfy(isUnmet)
      expect(await store.get("match/a")).toEqual({ bytes: bytes("2"), etag: second })
      await expect(store.put("match/none", bytes("3"), { ifMatch: first })).rejects.toSatisfy(isUnmet)
      expect(await store.has("match/none")).toBe(false)
    })

    test("a counter that eight raise with ifMatch loses no step", async () => {
      await store.put("match/counter", bytes("0"))
      const views = await Promise.all(Array.from({ length: 8 }, open))
      await Promise.all(views.map((view) => raise(view, "match/counter", 10)))
      expect(text(await store.get("match/counter"))).toBe("80")
    }, 30_000)

    test("a reader sees the old object or the new one, never a part", async () => {
      const letters = ["a", "b", "c"].map((letter) => bytes(letter.repeat(200_000)))
      await store.put("whole/a", letters[0])
      let writing = true
      const seen = new Set<string>()
      const reader = async () => {
        while (writing) {
          const found = text(await store.get("whole/a"))!
          seen.add(`${new Set(found).size} letter × ${found.length}`)
        }
      }
      const readers = [reader(), reader()]
      for (let i = 0; i < 30; i++) await store.put("whole/a", letters[i % 3])
      writing = false
      await Promise.all(readers)
      expect([...seen]).toEqual(["1 letter × 200000"])
    }, 30_000)

    test(`an object below another object is ${keyBelowKey}`, async () => {
      await store.put("below/a", bytes("a"))
      expect(await store.get("below/a/b")).toBeUndefined()
      const write = store.put("below/a/b", bytes("b"))
      if (keyBelowKey === "kept") await write
      else await expect(write).rejects.toMatchObject({ kind: "conflict", code: "key-is-folder" })
      expect(await store.list("below/")).toEqual(
        keyBelowKey === "kept" ? ["below/a", "below/a/b"] : ["below/a"],
      )
    })
  })
}

/** Adds one to the number under `key`, `times` times, starting over whenever another was faster. */
export async function raise(store: ObjectStore, key: string, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const found = await store.get(key)
    try {
      await store.put(key, bytes(String(Number(text(found)) + 1)), { ifMatch: found!.etag })
      done++
    } catch (thrown) {
      if (!isUnmet(thrown)) throw thrown
    }
  }
}
