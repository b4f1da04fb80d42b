import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import * as z from "zod"
import { Fault, reason } from "#shared/errors.ts"
import { EncoderId, sha256 } from "#shared/ids.ts"
import { Recipe } from "#shared/preprocess/recipe.ts"

const Digest = z.string().regex(/^[0-9a-f]{64}$/, "a digest is 64 hex digits")

/** encoder.json, written by training/export.py: what an encoder is, how it wants its volume, and what names it. */
export const EncoderCard = z
  .object({
    id: EncoderId,
    name: z.string(),
    /** An untrained encoder has random weights: its features follow coarse appearance only. */
    status: z.enum(["untrained", "trained"]),
    description: z.string(),
    licence: z.string(),
    source: z.string(),
    dim: z.int().positive(),
    depth: z.int().positive(),
    heads: z.int().positive(),
    /** Edge of one cubic patch in voxels. */
    patch: z.int().positive(),
    registers: z.int().nonnegative(),
    parameters: z.int().positive(),
    recipe: Recipe,
    recipeDigest: Digest,
    /** sha256 of encoder.onnx, which names the digests of any further files. */
    digest: Digest,
    /** How matrices are kept; absent for float32. Golden values are those of float32. */
    precision: z.literal("int8").optional(),
    /** encoder.onnx first, then its weights beyond 2 GB. */
    files: z
      .array(
        z.object({
          name: z.string().regex(/^encoder\.onnx(\.\d+)?$/),
          bytes: z.int().positive(),
          sha256: Digest,
        }),
      )
      .min(1),
  })
  .superRefine((card, context) => {
    const wrong = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message })
    if (card.recipeDigest !== recipeDigest(card.recipe)) wrong("recipeDigest", "is not that of the recipe")
    if (card.files[0].name !== "encoder.onnx" || card.files[0].sha256 !== card.digest)
      wrong("digest", "is not that of encoder.onnx, the first of the files")
    if (card.recipe.patch !== card.patch) wrong("patch", "is not that of the recipe")
    const both = sha256(`${card.digest}\n${card.recipeDigest}`)
    if (card.id !== `${card.name}-${both.slice(0, 12)}`)
      wrong("id", "does not belong to name, digest and recipe")
  })
export type EncoderCard = z.infer<typeof EncoderCard>

/** sha256 of the recipe as JSON with sorted keys and no spaces; training/card.py computes the same. */
export function recipeDigest(recipe: Recipe): string {
  return sha256(canonicalJson(recipe))
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/**
 * The card in an encoder's folder. Its weights are not looked at: `verifyWeights`.
 * @throws Fault `no-encoder` when there is no card, `corrupt-encoder` when it does not hold together
 */
export async function readCard(dir: string): Promise<EncoderCard> {
  const file = join(dir, "encoder.json")
  let json: unknown
  try {
    json = JSON.parse(await readFile(file, "utf8"))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) {
      throw new Fault(
        "missing",
        "no-encoder",
        `${file} cannot be read (${reason(cause)}): give a folder made by python -m training.export`,
        { cause },
      )
    }
    throw corrupt(file, "is not JSON", cause)
  }
  const parsed = EncoderCard.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw corrupt(file, `does not fit: ${issue.path.join(".")} ${issue.message}`, parsed.error)
}

/**
 * Hashes every file of the encoder: about a second per GB.
 * @throws Fault `corrupt-encoder` naming the first file that is missing or not the one of the card
 */
export async function verifyWeights(dir: string, card: EncoderCard): Promise<void> {
  for (const { name, sha256: expected } of card.files) {
    const file = join(dir, name)
    const hash = createHash("sha256")
    try {
      await pipeline(createReadStream(file), hash)
    } catch (cause) {
      throw corrupt(file, `cannot be read (${reason(cause)})`, cause)
    }
    if (hash.digest("hex") !== expected) throw corrupt(file, "is not the file that encoder.json describes")
  }
}

function corrupt(file: string, what: string, cause?: unknown): Fault {
  return new Fault(
    "invalid",
    "corrupt-encoder",
    `${file} ${what}: copy the encoder's folder again, or export it again with python -m training.export`,
    { cause },
  )
}
