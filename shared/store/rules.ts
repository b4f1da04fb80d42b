import { Fault } from "#shared/errors.ts"
import type { ByteRange } from "./store.ts"

const segment = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/

/**
 * A key is ASCII: segments of letters, digits, '.', '_' and '-' that start with a letter or digit, joined by '/'.
 * So it can leave no folder, and names that start with a dot stay free for the store itself. 512 characters at
 * most leave room for a prefix within S3's 1024 bytes; 200 per segment fit every file system's 255.
 */
export function isKey(key: string): boolean {
  return key.length <= 512 && key.split("/").every((part) => segment.test(part))
}

export function checkKey(key: string): void {
  if (isKey(key)) return
  throw new Fault(
    "invalid",
    "bad-key",
    `${JSON.stringify(key.slice(0, 80))} is no object key: use letters, digits, '.', '_', '-' in segments joined by '/'`,
  )
}

/** A prefix is whatever a key can begin with: one more letter makes it a key. */
export function checkPrefix(prefix: string): void {
  if (prefix !== "") checkKey(`${prefix}x`)
}

export function checkRange(key: string, { start, end, into }: ByteRange): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start
  if (whole && (!into || into.length >= end - start)) return
  throw new Fault(
    "invalid",
    "bad-range",
    `bytes ${start} to ${end} of ${key}: give whole numbers, 0 ≤ start ≤ end, and room for all of them`,
  )
}

export function unmet(key: string, cause?: unknown): Fault {
  return new Fault(
    "conflict",
    "precondition-failed",
    `${key} is not what the write expected: someone wrote or deleted it meanwhile; read it again and repeat`,
    { cause },
  )
}
