import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3"
import { Fault } from "#shared/errors.ts"
import { awsFault, statusOf } from "./aws.ts"
import { checkKey, checkPrefix, checkRange, isKey, unmet } from "./rules.ts"
import type { ByteRange, ObjectStore, StoredObject } from "./store.ts"

/** The largest object of one PutObject; more needs a multipart upload, which nothing here asks for yet. */
const largest = 5 * 1024 ** 3

export interface S3Place {
  client: S3Client
  bucket: string
  /** Put before every key as it is, so end it with '/'; "" for the whole bucket. */
  prefix?: string
}

/**
 * Objects in an S3 bucket. Needs `s3:GetObject`, `PutObject`, `DeleteObject`, and `ListBucket` too: without that
 * one S3 answers 403 for a key that is not there. A key may be an object and the prefix of others.
 */
export function s3Store({ client, bucket, prefix: root = "" }: S3Place): ObjectStore {
  const at = (key: string) => ({ Bucket: bucket, Key: root + key })
  const fault = (what: string, thrown: unknown) => awsFault(what, `bucket ${bucket}`, thrown)

  /** A range that S3 cannot express, because it holds no byte of the object. */
  async function emptyRange(key: string, into?: Uint8Array<ArrayBuffer>): Promise<StoredObject | undefined> {
    const { ETag } = await client.send(new HeadObjectCommand(at(key)))
    return { bytes: into?.subarray(0, 0) ?? new Uint8Array(0), etag: ETag! }
  }

  async function fetchObject(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    try {
      if (range && range.start === range.end) return await emptyRange(key, range.into)
      const Range = range && `bytes=${range.start}-${range.end - 1}`
      const { Body, ETag } = await client.send(new GetObjectCommand({ ...at(key), Range }))
      const bytes = ownBytes(await Body!.transformToByteArray())
      range?.into?.set(bytes)
      return { bytes: range?.into?.subarray(0, bytes.length) ?? bytes, etag: ETag! }
    } catch (thrown) {
      if (isNamed(thrown, "InvalidRange")) return fetchObject(key, { start: 0, end: 0, into: range?.into })
      if (isNamed(thrown, "NoSuchKey", "NotFound")) return undefined
      throw fault(key, thrown)
    }
  }

  return {
    async get(key, range) {
      checkKey(key)
      if (range) checkRange(key, range)
      return fetchObject(key, range)
    },

    async put(key, bytes, condition) {
      checkKey(key)
      if (bytes.length > largest)
        throw new Fault("too_large", "object-too-large", `${key} has ${bytes.length} bytes: at most 5 GiB`)
      const met =
        condition && ("ifAbsent" in condition ? { IfNoneMatch: "*" } : { IfMatch: condition.ifMatch })
      try {
        const { ETag } = await client.send(new PutObjectCommand({ ...at(key), ...met, Body: bytes }))
        return ETag!
      } catch (thrown) {
        // 412: it is not so; 409: another conditional write is under way; 404: nothing there to match
        const status = statusOf(thrown)
        if (met && (status === 412 || status === 409 || isNamed(thrown, "NoSuchKey")))
          throw unmet(key, thrown)
        throw fault(key, thrown)
      }
    },

    /** Asks for the first byte, because the answer to HEAD cannot tell a missing key from a missing bucket. */
    async has(key) {
      checkKey(key)
      return (await fetchObject(key, { start: 0, end: 1 })) !== undefined
    },

    async list(prefix) {
      checkPrefix(prefix)
      const found: string[] = []
      let token: string | undefined
      do {
        const request = { Bucket: bucket, Prefix: root + prefix, ContinuationToken: token }
        const page = await client
          .send(new ListObjectsV2Command(request))
          .catch((thrown) => Promise.reject(fault(`listing ${prefix || "everything"}`, thrown)))
        found.push(...(page.Contents ?? []).map(({ Key }) => Key!.slice(root.length)))
        token = page.NextContinuationToken
        if (page.IsTruncated && !token)
          throw new Fault(
            "unavailable",
            "list-incomplete",
            `bucket ${bucket} gave a part of the keys below ${prefix} and no way to go on: repeat`,
          )
      } while (token)
      // what was put there by other means, such as the console's empty "folder/", is none of ours
      return found.filter(isKey).sort()
    },

    async delete(key) {
      checkKey(key)
      try {
        await client.send(new DeleteObjectCommand(at(key)))
      } catch (thrown) {
        throw fault(key, thrown)
      }
    },
  }
}

function isNamed(thrown: unknown, ...names: string[]): boolean {
  return thrown instanceof Error && names.includes(thrown.name)
}

/** The client may give a view into a pool of its own; callers lay float arrays over the bytes, from offset 0. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes
  if (buffer instanceof ArrayBuffer && byteOffset === 0) return new Uint8Array(buffer, 0, byteLength)
  return new Uint8Array(bytes)
}
