import type { Member } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { badLabel, columnOf, type Labelled, labelled } from "./labels.ts"

/** What two columns say of a series, as it was given. */
interface Given {
  time: string | number | boolean
  event: string | number | boolean
}

/**
 * The members that have both a time and an event.
 * @throws Fault `invalid` / `no-such-column` when a column is empty, or nobody has both
 */
export function timed(members: Member[], time: string, event: string): Labelled<Given>[] {
  labelled(members, event)
  const both = labelled(members, time).flatMap(({ member, value }) => {
    const happened = columnOf(member, event)
    return happened === undefined ? [] : [{ member, value: { time: value, event: happened } }]
  })
  if (both.length > 0) return both
  throw new Fault(
    "invalid",
    "no-such-column",
    `no series has a value in both '${time}' and '${event}': survival takes both of each series`,
  )
}

const happened = new Map([
  ["1", 1],
  ["true", 1],
  ["0", 0],
  ["false", 0],
])

/**
 * Times, and 1 where the event happened then, 0 where not, that a probe can learn from.
 * @throws Fault `invalid` / `bad-label`, `no-events`, `too-short-follow-up`
 */
export function outcomes(labels: Labelled<Given>[], time: string, event: string) {
  const found = observed(labels, time, event)
  checkFollowUp(found, time, event)
  return found
}

/** Times, and 1 where the event happened then, 0 where not. @throws Fault `invalid` / `bad-label` */
export function observed(labels: Labelled<Given>[], time: string, event: string) {
  const wrongTimes = labels.filter(({ value }) => !(Number.isFinite(value.time) && Number(value.time) > 0))
  if (wrongTimes.length > 0) {
    throw badLabel(wrongTimes, time, "are not times above 0: correct or empty them")
  }
  const code = ({ value }: Labelled<Given>) => happened.get(String(value.event).toLowerCase())
  const wrongEvents = labels.filter((label) => code(label) === undefined)
  if (wrongEvents.length > 0) {
    throw badLabel(wrongEvents, event, "are not 0, 1, true or false: correct or empty them")
  }
  return {
    time: Float64Array.from(labels, ({ value }) => Number(value.time)),
    event: Uint8Array.from(labels, (label) => code(label)!),
  }
}

function checkFollowUp(
  { time, event }: { time: Float64Array; event: Uint8Array },
  times: string,
  events: string,
) {
  const happenedAt = time.filter((_, row) => event[row] === 1).sort()
  if (happenedAt.length === 0) {
    throw new Fault(
      "invalid",
      "no-events",
      `none of ${time.length} series had the event in column '${events}': label some that did (1 or true), or name another column`,
    )
  }
  const median = happenedAt[Math.ceil(happenedAt.length / 2) - 1]
  if (time.every((t) => t <= median)) {
    throw new Fault(
      "invalid",
      "too-short-follow-up",
      `no series lives past the median event time, ${median} in column '${times}', so there is nobody to tell events ` +
        "from: label series that were followed for longer, or use task classification",
    )
  }
}
