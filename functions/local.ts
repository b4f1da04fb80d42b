import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { readCard } from "#shared/encoder/card.ts"
import { defaultEncoderDir, fetchEncoder, keepEncoder } from "#shared/encoder/library.ts"
import { type LocalQueue, localQueue } from "#shared/jobs/local.ts"
import { diskStore } from "#shared/store/disk.ts"
import type { ApiPorts, JobPorts, OpenEncoder } from "./ports.ts"

export interface LocalOptions {
  /** The folder that holds everything voxkin knows. */
  data: string
  /** Folder of the encoder that new cohorts get; ours when absent. */
  encoder?: string
}

/** The ports on disk and in process. Nothing is written before something is stored. */
export function localPorts({
  data,
  encoder = defaultEncoderDir,
}: LocalOptions): JobPorts & { close(): Promise<void> } {
  const objects = diskStore(join(data, "objects"))
  const opened = new Map<string, Promise<OpenEncoder>>()

  async function folderOf(id: string | undefined): Promise<string> {
    const card = await readCard(encoder)
    if (id !== undefined && id !== card.id) return fetchEncoder(objects, id, join(data, "cache", "encoders"))
    await keepEncoder(objects, encoder)
    return encoder
  }

  async function open(id: string | undefined): Promise<OpenEncoder> {
    // Loaded only here: whatever needs no encoder never loads onnxruntime.
    const { openEncoder } = await import("#shared/encoder/onnx.ts")
    return openEncoder(await folderOf(id))
  }

  return {
    objects,
    now: () => new Date(),
    encoder(id) {
      const key = id ?? ""
      let encoder = opened.get(key)
      if (!encoder) {
        encoder = open(id)
        opened.set(key, encoder)
      }
      return encoder
    },
    async close() {
      const encoders = await Promise.allSettled(opened.values())
      await Promise.all(encoders.map((e) => (e.status === "fulfilled" ? e.value.close() : undefined)))
    },
  }
}

/** Where jobs unpack: below the data folder, because nobody sweeps the system's, and others may look there. */
export function scratchOf(data: string, job = ""): string {
  return join(resolve(data), "scratch", job)
}

/** The queue whose workers are processes on this machine, each running `jobs/main.ts` on one job. */
export function localJobs({ data, encoder }: LocalOptions): LocalQueue {
  const worker = fileURLToPath(new URL("./jobs/main.ts", import.meta.url))
  const tsx = import.meta.resolve("tsx")
  return localQueue({
    folder: join(data, "queue"),
    command: [
      process.execPath,
      "--import",
      tsx,
      worker,
      "--data",
      resolve(data),
      ...(encoder ? ["--encoder", resolve(encoder)] : []),
    ],
  })
}

export function apiPorts(options: LocalOptions, jobs: LocalQueue): ApiPorts {
  return {
    objects: diskStore(join(options.data, "objects")),
    jobs,
    now: () => new Date(),
    defaultEncoder: () => readCard(options.encoder ?? defaultEncoderDir),
  }
}
