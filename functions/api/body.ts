import { Fault } from "#shared/errors.ts"

export function tooLarge(most: number): Fault {
  return new Fault("too_large", "body-too-large", `a body here may have at most ${most} bytes`)
}

/**
 * The body of a request as it arrives, never all of it in memory.
 * @throws Fault `too_large` / `body-too-large` at once when the request tells its length, else when it gets there
 */
export async function* piecesOf({ body, headers }: Request, most: number): AsyncGenerator<Uint8Array> {
  if (Number(headers.get("content-length")) > most) throw tooLarge(most)
  let size = 0
  for await (const piece of body ?? []) {
    size += piece.length
    if (size > most) throw tooLarge(most)
    yield piece
  }
}
