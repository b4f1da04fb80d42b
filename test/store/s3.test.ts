import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { s3Store } from "#shared/store/s3.ts"
import { objectStoreContract } from "#test/contracts/object-store.ts"
import { type Moto, motoServer, needsMoto, startMoto } from "#test/support/moto.ts"

const one = Uint8Array.of(1)
const credentials = { accessKeyId: "test", secretAccessKey: "test" }
const region = "eu-central-1"

describe.skipIf(!motoServer)(`s3${needsMoto}`, () => {
  let moto: Moto
  let client: S3Client
  beforeAll(async () => {
    moto = await startMoto()
    // One request at a time: moto looks at If-Match and writes in two steps without a lock, so that of two requests in
    // flight both may win, which S3 never lets happen. The eight writers' reads and writes still interleave.
    const requestHandler = { httpAgent: { maxSockets: 1 } }
    client = new S3Client({ ...moto.aws, forcePathStyle: true, requestHandler })
    const place = { LocationConstraint: region } as const
    await client.send(new CreateBucketCommand({ Bucket: "voxkin", CreateBucketConfiguration: place }))
  }, 40_000)
  afterAll(() => moto.stop())

  objectStoreContract("s3", async () => s3Store({ client, bucket: "voxkin", prefix: "data/" }), {
    keyBelowKey: "kept",
  })

  test("keeps below its prefix, and lists nothing that is no key", async () => {
    const put = (Key: string) => client.send(new PutObjectCommand({ Bucket: "voxkin", Key, Body: one }))
    await put("mine/")
    await put("mine/folder/")
    await put("elsewhere")
    const store = s3Store({ client, bucket: "voxkin", prefix: "mine/" })
    await store.put("a", one)
    expect(await store.list("")).toEqual(["a"])
    expect(await store.has("elsewhere")).toBe(false)
    expect(await s3Store({ client, bucket: "voxkin" }).has("mine/a")).toBe(true)
  })

  test("says that there is no such bucket, whatever is asked", async () => {
    const store = s3Store({ client, bucket: "nobodys" })
    const fault = { kind: "missing", code: "no-such-bucket", message: expect.stringContaining("nobodys") }
    await expect(store.get("a")).rejects.toMatchObject(fault)
    await expect(store.put("a", one)).rejects.toMatchObject(fault)
    await expect(store.put("a", one, { ifMatch: '"x"' })).rejects.toMatchObject(fault)
    await expect(store.has("a")).rejects.toMatchObject(fault)
    await expect(store.list("")).rejects.toMatchObject(fault)
    await expect(store.delete("a")).rejects.toMatchObject(fault)
  })
})

/** What moto never answers, answered by a server of three lines over the same protocol. */
describe("s3 answers that go wrong", () => {
  let server: Server
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  async function answering(status: number, body: string, cut = false) {
    server = createServer((_, answer) => {
      answer.writeHead(status, {
        "content-type": "application/xml",
        etag: '"e"',
        "content-length": body.length,
      })
      if (cut) answer.write(body.slice(0, 3), () => answer.destroy())
      else answer.end(body)
    })
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })
    return s3Store({ client, bucket: "b" })
  }
  const error = (code: string) => `<Error><Code>${code}</Code><Message>m</Message></Error>`

  test.each([
    [403, "AccessDenied", "forbidden", "no-access"],
    [403, "SignatureDoesNotMatch", "forbidden", "no-access"],
    [400, "ExpiredToken", "forbidden", "no-access"],
    [503, "SlowDown", "unavailable", "aws-failed"],
    [500, "InternalError", "unavailable", "aws-failed"],
    [301, "PermanentRedirect", "unavailable", "aws-failed"],
    [400, "EntityTooLarge", "too_large", "object-too-large"],
  ])("%d %s is %s", async (status, code, kind, faultCode) => {
    const store = await answering(status, error(code))
    const fault = { name: "Fault", kind, code: faultCode }
    await expect(store.put("a", one)).rejects.toMatchObject(fault)
    await expect(store.get("a")).rejects.toMatchObject(fault)
    await expect(store.list("")).rejects.toMatchObject(fault)
    await expect(store.delete("a")).rejects.toMatchObject(fault)
  })

  test("a 409 between two conditional writes is an unmet condition", async () => {
    const store = await answering(409, error("ConditionalRequestConflict"))
    await expect(store.put("a", one, { ifAbsent: true })).rejects.toMatchObject({
      code: "precondition-failed",
    })
    await expect(store.put("a", one)).rejects.toMatchObject({ code: "aws-failed" })
  })

  test("a part of a listing with no way to go on is no listing", async () => {
    const store = await answering(
      200,
      "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>",
    )
    await expect(store.list("")).rejects.toMatchObject({ kind: "unavailable", code: "list-incomplete" })
  })

  test("an object cut off on its way is no object", async () => {
    const store = await answering(200, "0123456789", true)
    await expect(store.get("a")).rejects.toMatchObject({ kind: "unavailable", code: "aws-failed" })
  })

  test("a server that is not there is unavailable", async () => {
    const store = await answering(200, "")
    await new Promise((closed) => server.close(closed))
    await expect(store.get("a")).rejects.toMatchObject({ kind: "unavailable", code: "aws-failed" })
  })
})
