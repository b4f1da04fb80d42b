import { Fault } from "#shared/errors.ts"
import type { Slice } from "./group.ts"

/**
 * Orders the slices of each place, the one to take first: that of the acquisition (AcquisitionNumber) with most slices
 * in the stack, so that a shorter second phase over a part of the body does not become a piece of the first; of these
 * the lowest InstanceNumber, then the first file name.
 */
export function preferLargest(places: Slice[][]): void {
  const sizes = new Map<number, number>()
  for (const { object } of places.flat())
    sizes.set(object.acquisitionNumber, (sizes.get(object.acquisitionNumber) ?? 0) + 1)
  const size = ({ object }: Slice) => sizes.get(object.acquisitionNumber) ?? 0
  for (const place of places) {
    place.sort(
      (a, b) =>
        size(b) - size(a) ||
        a.object.instanceNumber - b.object.instanceNumber ||
        (a.object.path < b.object.path ? -1 : a.object.path > b.object.path ? 1 : a.index - b.index),
    )
  }
}

/**
 * A second phase whose slices lie between those of the first would make a volume that changes with every slice.
 * Acquisitions of one scan follow each other along the body (step and shoot); these alternate.
 * @param slices in their order along the stack
 * @throws Fault `several-volumes`
 */
export function checkPhases(slices: Slice[]): void {
  const numbers = slices.map(({ object }) => object.acquisitionNumber)
  const changes = numbers.filter((number, i) => i > 0 && number !== numbers[i - 1]).length
  const acquisitions = new Set(numbers).size
  if (changes < 2 * acquisitions || changes <= slices.length / 2) return
  const message = `slices of ${acquisitions} acquisitions alternate along the body: this is several volumes (phases) under one series, export each as its own`
  throw new Fault("invalid", "several-volumes", message)
}
