import { availableParallelism } from "node:os"
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import type { InferenceSession } from "onnxruntime-node"
import { Fault, reason } from "#shared/errors.ts"
import type { Input } from "#shared/preprocess/input.ts"
import { type EncoderCard, readCard, verifyWeights } from "./card.ts"
import type { Encoder, Tokens } from "./encoder.ts"

/**
 * Opens an encoder's folder and runs it with onnxruntime in a thread of its own. Inputs are encoded one at a time, in
 * the order of the calls; an input's voxels must not change until its promise settles.
 *
 * `close` rejects whatever is pending at once. The run under way cannot be interrupted: `close` resolves after it.
 * @param threads that one run may use; all cores by default
 * @throws Fault `no-encoder`, `corrupt-encoder`, `encoder-failed`
 */
export async function openEncoder(
  dir: string,
  { threads = availableParallelism() }: { threads?: number } = {},
): Promise<Encoder & { card: EncoderCard }> {
  const card = await readCard(dir)
  await verifyWeights(dir, card)
  const thread = startThread(join(dir, "encoder.onnx"), card.id, threads)
  await thread.ready
  let last: Promise<unknown> = Promise.resolve()

  return {
    card,
    id: card.id,
    recipe: card.recipe,
    dim: card.dim,
    async encode(input) {
      checkInput(input, card)
      const result = last.then(() => thread.run(input))
      last = Promise.allSettled([result])
      return checkResult(await result, input, card)
    },
    close: thread.close,
  }
}

type Result = Tokens & { finite: boolean }

function startThread(model: string, id: string, threads: number) {
  const options: InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    logSeverityLevel: 4, // what fails is told by a Fault
    // Both save memory and cost no time that could be measured at VoxelFM's size (test/bench/encoder-memory.ts):
    // a pattern would keep one block per shape of input, prepacking a second copy of the weights.
    enableMemPattern: false,
    extra: { session: { disable_prepacking: "1" } },
  }
  // Since 1.30 onnxruntime reports its sessions to Microsoft unless this is set, and a thread cannot set it for C.
  process.env.ORT_DISABLE_TELEMETRY = "1"
  const worker = new Worker(new URL("./onnx-worker.mjs", import.meta.url), {
    workerData: { model, options },
    execArgv: [],
  })
  /** Why the thread is of no more use. */
  let ended: Fault | undefined
  let abandon: ((fault: Fault) => void) | undefined

  const failed = (why: string, cause?: unknown) =>
    new Fault(
      "unavailable",
      "encoder-failed",
      `onnxruntime failed with encoder ${id} (${why}): free memory and try again, or export the encoder again`,
      { cause },
    )
  const end = (fault: Fault) => {
    ended ??= fault
    abandon?.(ended)
  }
  worker.on("error", (cause) => end(failed(reason(cause), cause)))
  worker.on("exit", () => end(failed("its thread ended")))

  /** The next message of the thread, which answers one by one. */
  const reply = <Message>() =>
    new Promise<Message>((resolve, reject) => {
      abandon = reject
      worker.once("message", resolve)
    })

  return {
    ready: reply<"ready">(),
    async run({ voxels, shape }: Input): Promise<Result> {
      if (ended) throw ended
      const copy = voxels.slice()
      worker.postMessage({ voxels: copy, shape }, [copy.buffer])
      const message = await reply<Result | { failed: string }>()
      if ("failed" in message) throw failed(message.failed)
      return message
    },
    async close() {
      end(new Fault("unavailable", "encoder-closed", `encoder ${id} is closed: open it again`))
      await worker.terminate()
    },
  }
}

function checkInput({ voxels, shape, grid }: Input, { id, patch }: EncoderCard): void {
  const fits = shape.every((n, axis) => n > 0 && n === grid[axis] * patch)
  if (fits && voxels.length === shape[0] * shape[1] * shape[2]) return
  throw new Fault(
    "invalid",
    "wrong-input-shape",
    `an input of ${shape.join(" × ")} voxels (${voxels.length} given) is no grid of ${grid.join(" × ")} patches of ${patch}³: preprocess the volume with the recipe of encoder ${id}`,
  )
}

function checkResult({ finite, ...tokens }: Result, { grid }: Input, { id, dim }: EncoderCard): Tokens {
  if (tokens.cls.length !== dim || tokens.grid.some((n, axis) => n !== grid[axis])) {
    throw new Fault(
      "unavailable",
      "corrupt-encoder",
      `encoder ${id} returned ${tokens.grid.join(" × ")} tokens of ${tokens.cls.length} numbers, not ${grid.join(" × ")} of ${dim}: export it again`,
    )
  }
  if (!finite) {
    throw new Fault(
      "unavailable",
      "non-finite-features",
      `encoder ${id} returned NaN or infinite features for this input: nothing is kept; check its weights and the voxels`,
    )
  }
  return tokens
}
