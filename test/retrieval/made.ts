import { createCohort } from "#shared/cohort/cohort.ts"
import { addMember, type Scalars } from "#shared/cohort/members.ts"
import { keepFeatures } from "#shared/features/keep.ts"
import { buildColumns } from "#shared/retrieval/columns.ts"
import { exactIndex } from "#shared/retrieval/exact.ts"
import { buildHnsw, openHnsw } from "#shared/retrieval/hnsw.ts"
import type { View } from "#shared/retrieval/live.ts"
import type { Snapshot } from "#shared/retrieval/opened.ts"
import { openRows, rowsPart } from "#shared/retrieval/rows.ts"
import { vectorsInMemory } from "#shared/retrieval/stored-vectors.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import { encoder, now, seriesNo } from "../cohort/scratch.ts"

const identity = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
] as const

/** Keeps features of a made-up series whose mean is `mean`. */
export async function keepMade(objects: ObjectStore, series: string, mean: Float32Array, under = encoder) {
  const shape = [4, 4, 4] as const
  await keepFeatures(objects, {
    cls: mean,
    mean,
    patches: mean,
    grid: [1, 1, 1],
    receipt: {
      series,
      volume: {
        format: "nifti",
        files: 1,
        orientation: "LPS",
        shape,
        spacing: [1, 1, 1],
        affine: identity,
        notes: [],
      },
      preprocess: {
        clip: [-1000, 1900],
        crop: { offset: [0, 0, 0], shape },
        isotropic: { shape, spacing: [1, 1, 1] },
        budget: { shape },
        shape,
      },
      encoder: { id: under, digest: "0".repeat(64), recipeDigest: "0".repeat(64) },
      gridToPatient: identity,
      deidentification: "made up",
    },
  })
}

export interface MadeCohort {
  cohort: string
  dim: number
  /** [count, dim] */
  vectors: Float32Array
  metadata?: Scalars[]
}

/** Stores a cohort whose n-th series has the n-th vector. */
export async function storeCohort(
  objects: ObjectStore,
  { cohort, dim, vectors, metadata }: MadeCohort,
): Promise<void> {
  await createCohort(objects, cohort, encoder, now)
  const add = async (n: number) => {
    await keepMade(objects, seriesNo(n), vectors.slice(n * dim, (n + 1) * dim))
    const member = { series: seriesNo(n), source: `scans/${n}.nii.gz`, metadata: metadata?.[n] }
    await addMember(objects, cohort, member, now)
  }
  await Promise.all(Array.from({ length: vectors.length / dim }, (_, n) => add(n)))
}

/** A snapshot as `openSnapshot` gives it, without the way through a store: for cohorts too large for a test's disk. */
export async function snapshotOf(
  { cohort, dim, vectors, metadata }: MadeCohort,
  engine: "exact" | "hnsw",
): Promise<Snapshot> {
  const count = vectors.length / dim
  const series = Array.from({ length: count }, (_, n) => seriesNo(n))
  return {
    manifest: {
      format: "voxkin-snapshot-3",
      snapshot: "20250304T050607008Z-01234567",
      cohort,
      encoder,
      pooling: "mean",
      dim,
      metric: "cosine",
      count,
      engine,
      ef: 64,
      m: 16,
      efConstruction: 200,
      recallAt10: 1,
      createdAt: now.toISOString(),
      parts: {},
    },
    rows: openRows(rowsPart({ series, source: series.map((_, n) => `scans/${n}.nii.gz`) }), count),
    columns: buildColumns(metadata ?? series.map(() => ({}))),
    vectors: vectorsInMemory({ dim, vectors }),
    warm: async () => {},
    exact: await exactIndex({ dim, vectors }),
    graph:
      engine === "hnsw" ? await openHnsw(await buildHnsw({ dim, vectors }), { dim, vectors }) : undefined,
  }
}

/** A view of a snapshot that nothing but these deletions has happened to since. */
export function viewOf(snapshot: Snapshot, deleted: ReadonlySet<string> = new Set()): View {
  return { snapshot, deleted, fresh: [], cold: false, damaged: [] }
}
