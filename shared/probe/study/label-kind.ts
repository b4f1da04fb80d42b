import type { Member } from "#shared/cohort/members.ts"
import type { Note } from "../record.ts"
import type { AskedTarget, Target } from "../request.ts"
import { columnOf } from "./labels.ts"

/** A column with more different numbers than this is one of numbers; any other is one of classes. */
const mostClasses = 10

/** What knn's label is, by its values, and the note that tells it. Other tasks are what they were asked to be. */
export function resolved(asked: AskedTarget, members: Member[]): { target: Target; notes: Note[] } {
  if (asked.task !== "knn") return { target: asked, notes: [] }
  const { label } = asked
  const values = members.map((member) => columnOf(member, label))
  const different = new Set(values.filter((value) => typeof value === "number")).size
  const task = different > mostClasses ? "regression" : "classification"
  const rule =
    task === "regression"
      ? `'${label}' has ${different} different numbers, more than ${mostClasses}: learned as a number`
      : different > 0
        ? `'${label}' has ${different} different numbers, no more than ${mostClasses}: learned as classes`
        : `'${label}' has no numbers: learned as classes`
  return { target: { task, label }, notes: [{ code: "label-kind", message: rule }] }
}
