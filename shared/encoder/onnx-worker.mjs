// The thread in which onnxruntime runs, because its `run` blocks. Plain JavaScript: a worker's first file must start
// without a loader, and tsx cannot give one to the workers of every Node and test runner that voxkin supports.
import { parentPort, workerData } from "node:worker_threads"
import { InferenceSession, Tensor } from "onnxruntime-node"

/** @typedef {{ cls: Float32Array, patches: Float32Array, grid: [number, number, number], finite: boolean }} Result */

/** @type {{ model: string, options: InferenceSession.SessionOptions }} */
const { model, options } = workerData
const session = await InferenceSession.create(model, options)
parentPort.postMessage("ready")

parentPort.on(
  "message",
  /** @param {{ voxels: Float32Array, shape: [number, number, number] }} input */
  async ({ voxels, shape }) => {
    try {
      const outputs = await session.run({ input: new Tensor("float32", voxels, [1, 1, ...shape]) })
      // Copies: onnxruntime's own buffers cannot change threads.
      const cls = Float32Array.from(outputs.cls.data)
      const patches = Float32Array.from(outputs.patches.data)
      outputs.cls.dispose()
      outputs.patches.dispose()
      const grid = outputs.patches.dims.slice(1, 4)
      const finite = cls.every(Number.isFinite) && patches.every(Number.isFinite)
      parentPort.postMessage({ cls, patches, grid, finite }, [cls.buffer, patches.buffer])
    } catch (thrown) {
      parentPort.postMessage({ failed: thrown instanceof Error ? thrown.message : String(thrown) })
    }
  },
)
