/** Bytes of one object and the tag that names this version of it. */
export interface StoredObject {
  bytes: Uint8Array<ArrayBuffer>
  etag: string
}

/** At most one of the two: write only where nothing is, or only over the version that was read. */
export type PutCondition = { ifAbsent: true } | { ifMatch: string }

/** Bytes `start` to `end` (exclusive); reading past the end gives what is there. */
export interface ByteRange {
  start: number
  end: number
  /** Where the bytes go, for who has a place for them; `bytes` is then the start of it. At least end − start long. */
  into?: Uint8Array<ArrayBuffer>
}

/**
 * Where everything durable lives: a folder on a laptop, a bucket in the cloud. Writes are atomic: a reader sees
 * the old object or the new one, never a part.
 */
export interface ObjectStore {
  /** Undefined when there is no such object. With a range the etag is still the whole object's. */
  get(key: string, range?: ByteRange): Promise<StoredObject | undefined>
  /** Returns the new etag. An unmet condition is a Fault `conflict` / `precondition-failed`. */
  put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<string>
  has(key: string): Promise<boolean>
  /** Every key that starts with `prefix`, sorted by code unit; complete, or it throws. */
  list(prefix: string): Promise<string[]>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
}
