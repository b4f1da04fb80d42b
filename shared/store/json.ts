import type { z } from "zod"
import { Fault } from "#shared/errors.ts"
import type { ObjectStore, PutCondition } from "./store.ts"

/** Reads stored JSON of a known schema; undefined when absent, a Fault `corrupt-object` when it is not that. */
export async function getJson<S extends z.ZodType>(
  objects: ObjectStore,
  key: string,
  schema: S,
): Promise<{ value: z.infer<S>; etag: string } | undefined> {
  const object = await objects.get(key)
  if (!object) return undefined
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(object.bytes))
  } catch (cause) {
    throw new Fault(
      "unavailable",
      "corrupt-object",
      `stored object ${key} is not JSON: restore it or delete it`,
      { cause },
    )
  }
  const parsed = schema.safeParse(json)
  if (!parsed.success) {
    const where = parsed.error.issues[0]
    throw new Fault(
      "unavailable",
      "corrupt-object",
      `stored object ${key} does not fit its schema at '${where.path.join(".")}': ${where.message}: restore it or delete it`,
      { cause: parsed.error },
    )
  }
  return { value: parsed.data, etag: object.etag }
}

/** Writes a value as JSON; returns the new etag. */
export function putJson(
  objects: ObjectStore,
  key: string,
  value: unknown,
  condition?: PutCondition,
): Promise<string> {
  return objects.put(key, new TextEncoder().encode(JSON.stringify(value)), condition)
}
