import { SeriesId } from "#shared/ids.ts"
import { keys } from "#shared/store/keys.ts"
import type { ObjectStore } from "#shared/store/store.ts"
import type { Explanation } from "./explanation.ts"

type Version = Pick<Explanation, "probe" | "version">

/** What the overlay of a series is called among a version's plots. */
export const overlayName = (series: string) => `overlay-${series}.svg`

/** The series whose overlay is called so; undefined of other names. */
export function seriesOfOverlay(plot: string): string | undefined {
  return SeriesId.safeParse(plot.replace(/^overlay-(.*)\.svg$/, "$1")).data
}

/**
 * Keeps slices of a scan with what a version of a probe says of it, in place of earlier ones of the same series. They show the
 * patient: an export leaves them out.
 */
export async function keepOverlay(
  objects: ObjectStore,
  { probe, version, series }: Version & { series: string },
  svg: Uint8Array,
): Promise<void> {
  await objects.put(keys.probeOverlay(probe, version, series), svg)
}

/** The names of a version's overlays. */
export async function listOverlays(objects: ObjectStore, { probe, version }: Version): Promise<string[]> {
  const folder = keys.probeOverlays(probe, version)
  const found = await objects.list(folder)
  return found.map((key) => overlayName(key.slice(folder.length, -".svg".length)))
}
