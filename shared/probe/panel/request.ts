import * as z from "zod"
import { ColumnName } from "#shared/cohort/members.ts"
import { FitRequest } from "../request.ts"

/** What to fit together: columns of two classes each, and for all of them what `FitRequest` says of one. */
export const PanelRequest = FitRequest.pick({
  name: true,
  cohort: true,
  pooling: true,
  penalty: true,
  folds: true,
  seed: true,
}).extend({ labels: z.array(ColumnName).min(2).max(100) })
export type PanelRequest = z.input<typeof PanelRequest>

const longest = 64

/** The probe of each label: the panel's name, a dot, and the label as a name may be. */
export function probeNames(panel: string, labels: string[]): string[] {
  const names: string[] = []
  for (const [n, label] of labels.entries()) {
    const word = label.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "")
    const name = `${panel}.${word}`.slice(0, longest)
    const taken = word === "" || names.some((other) => other.toLowerCase() === name.toLowerCase())
    names.push(taken ? `${panel.slice(0, longest - 5)}.${n + 1}` : name)
  }
  return names
}
