import { Fault } from "#shared/errors.ts"
import { readTensors, type Tensor, writeTensors } from "#shared/features/safetensors.ts"
import { sha256 } from "#shared/ids.ts"
import { fromNumbers, numbersOf } from "./calibration.ts"
import type { Head } from "./head.ts"
import { knownFrom, metadataOf, tensorsOf } from "./neighbors-file.ts"

/** What a head's file must hold. */
export interface HeadShape {
  kind: Head["kind"]
  /** Numbers it answers with; of neighbors the classes, or 1. */
  outputs: number
  /** Numbers the head reads. */
  columns: number
  sha256: string
}

/**
 * `head.safetensors`: weights [outputs, columns], intercept [outputs], mean and scale [columns], all F32; of a calibrated
 * one calibration [2] (slope, intercept) or [1] (temperature); of a Cox head also the event times and the log of the cumulative baseline hazard from each on, [times] both. Rounding to float32 moves a prediction by about its seventh digit; the arithmetic on them stays float64. What a neighbor head's
 * holds, `neighbors-file.ts` says.
 */
export function encodeHead(head: Head): Uint8Array {
  const format = "voxkin-head-1"
  if (head.kind === "knn")
    return writeTensors(tensorsOf(head), { format, kind: head.kind, ...metadataOf(head) })
  const { kind, weights, intercept, mean, scale } = head
  const tensor = (data: Float64Array, shape: number[]): Tensor => ({
    dtype: "F32",
    shape,
    data: Float32Array.from(data),
  })
  const columns = mean.length
  const tensors: [string, Tensor][] = [
    ["weights", tensor(weights, [intercept.length, columns])],
    ["intercept", tensor(intercept, [intercept.length])],
    ["mean", tensor(mean, [columns])],
    ["scale", tensor(scale, [columns])],
  ]
  if (head.kind === "cox") {
    const { times, values } = head.logHazard
    tensors.push(["times", tensor(times, [times.length])], ["log-hazard", tensor(values, [values.length])])
  }
  if (head.kind !== "cox" && head.calibration) {
    const numbers = numbersOf(head.calibration)
    tensors.push(["calibration", tensor(numbers, [numbers.length])])
  }
  return writeTensors(tensors, { format, kind })
}

/** @throws Fault `unavailable` / `corrupt-probe` unless it is the very file that was written, of this shape */
export function decodeHead(bytes: Uint8Array, name: string, expected: HeadShape): Head {
  const damaged = (what: string, cause?: unknown) =>
    new Fault("unavailable", "corrupt-probe", `${name} is damaged: ${what}. Fit the probe again`, { cause })
  if (sha256(bytes) !== expected.sha256) throw damaged("its digest is not the one in probe.json")
  const { tensors, metadata } = readTensors(bytes, damaged)
  const floats = (tensor: string, ...shape: number[]): Float32Array => {
    const found = tensors.get(tensor)
    if (found?.dtype !== "F32" || found.shape.join() !== shape.join()) {
      throw damaged(`it has no '${tensor}' of shape ${shape.join(" × ")}`)
    }
    if (!found.data.every(Number.isFinite)) throw damaged(`its '${tensor}' is not finite`)
    return found.data
  }
  const numbers = (tensor: string, ...shape: number[]) => Float64Array.from(floats(tensor, ...shape))
  const { kind, outputs, columns } = expected
  if (kind === "knn") {
    const known = knownFrom(metadata, damaged)
    const { series } = known
    if (outputs !== (known.known.of === "class" ? known.known.classes : 1)) {
      throw damaged(`it does not tell ${outputs} classes, as probe.json does`)
    }
    const scaling = { mean: numbers("mean", columns), scale: numbers("scale", columns) }
    return { kind, ...scaling, points: floats("points", series.length, columns), ...known }
  }
  const linear = {
    weights: numbers("weights", outputs, columns),
    intercept: numbers("intercept", outputs),
    mean: numbers("mean", columns),
    scale: numbers("scale", columns),
  }
  if (kind !== "cox") {
    if (!tensors.has("calibration")) return { kind, ...linear }
    return { kind, ...linear, calibration: fromNumbers(numbers("calibration", kind === "logistic" ? 2 : 1)) }
  }
  const steps = tensors.get("times")?.shape[0] ?? 0
  const logHazard = {
    times: numbers("times", steps),
    values: numbers("log-hazard", steps),
    start: Number.NEGATIVE_INFINITY,
  }
  return { kind, ...linear, logHazard }
}
