import { type Command, InvalidArgumentError } from "commander"
import type { ZodType } from "zod"
import { CohortName, ProbeName } from "#shared/ids.ts"
import { ProbeVersion } from "#shared/probe/record.ts"

function checked(schema: ZodType<string>) {
  return (text: string) => {
    const parsed = schema.safeParse(text)
    if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0].message)
    return parsed.data
  }
}

export function whole(text: string): number {
  const value = Number(text)
  if (text.trim() === "" || !Number.isInteger(value))
    throw new InvalidArgumentError("it must be a whole number")
  return value
}

/** A whole number from `least` to `most`, as its request takes it. */
export function wholeFrom(least: number, most: number) {
  return (text: string): number => {
    const value = whole(text)
    if (value < least || value > most)
      throw new InvalidArgumentError(`it must be a number from ${least} to ${most}`)
    return value
  }
}

/** How many neighbors a probe asks, as `FitRequest` takes it. */
export const neighborCount = wholeFrom(1, 1001)

/** The penalty of a linear head. */
export function penalty(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  if (!(value >= 1e-3 && value <= 1e9))
    throw new InvalidArgumentError("it must be a number from 0.001 to 1e9")
  return value
}

/** Numbers of patients with commas between. */
export function sizes(text: string): number[] {
  const values = text.split(",").map(wholeFrom(2, 1e6))
  if (values.length > 30) throw new InvalidArgumentError("at most 30 numbers")
  return values
}

/** Numbers with commas between. */
export function numbers(text: string): number[] {
  const values = text.split(",").map((one) => (one.trim() === "" ? Number.NaN : Number(one)))
  if (!values.every(Number.isFinite)) throw new InvalidArgumentError("it must be numbers with commas between")
  return values
}

export function port(text: string): number {
  const value = whole(text)
  if (value < 0 || value > 65_535) throw new InvalidArgumentError("a port is a number from 0 (any) to 65535")
  return value
}

export const cohortName = checked(CohortName)
export const probeName = checked(ProbeName)
export const probeVersion = checked(ProbeVersion)

/** A command with the options that all of them take. */
export function command(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option("--data <dir>", "the folder that holds everything voxkin keeps", "./.voxkin")
    .option("--json", "machine-readable lines, and nothing else, on stdout")
}
