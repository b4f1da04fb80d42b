/**
 * A filter over metadata columns, as plain data. Absent values are null; null equals only null and is neither
 * smaller nor larger than anything. `!=` is exactly the negation of `=`, so an absent value passes it.
 */
export type Filter =
  | { kind: "or"; of: Filter[] }
  | { kind: "and"; of: Filter[] }
  | { kind: "not"; of: Filter }
  | { kind: "compare"; column: string; op: Comparison; value: FilterValue; at: number }
  | { kind: "in"; column: string; values: FilterValue[]; at: number }
  | { kind: "exists"; column: string; at: number }

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">="
export type FilterValue = string | number | boolean | null

export function columnsIn(filter: Filter): Set<string> {
  if (filter.kind === "not") return columnsIn(filter.of)
  if (filter.kind === "and" || filter.kind === "or")
    return new Set(filter.of.flatMap((of) => [...columnsIn(of)]))
  return new Set([filter.column])
}
