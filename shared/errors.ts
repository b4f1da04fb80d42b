/** What a caller may read of an error. Anything that is no Fault is a bug: never shown, always logged. */
export type FaultKind =
  | "invalid"
  | "unauthorized"
  | "forbidden"
  | "missing"
  | "conflict"
  | "too_large"
  | "unavailable"

/**
 * An error meant for the caller. `code` is a stable kebab-case word to search for; `message` names the thing
 * and the remedy. Never put patient data or file contents in either.
 */
export class Fault extends Error {
  readonly kind: FaultKind
  readonly code: string

  constructor(kind: FaultKind, code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = "Fault"
    this.kind = kind
    this.code = code
  }
}

/** The same fault with its subject (a path, a source) before the message, unless the message names it already. */
export function about(subject: string, fault: Fault): Fault {
  if (fault.message.includes(subject)) return fault
  return new Fault(fault.kind, fault.code, `${subject}: ${fault.message}`, { cause: fault })
}

/** The short reason inside any thrown value, for use in a Fault's message about a file or a network call. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
