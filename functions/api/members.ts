import { createRoute, z } from "@hono/zod-openapi"
import { getCohort } from "#shared/cohort/cohort.ts"
import { LabelledCohort, labelCohort } from "#shared/cohort/label.ts"
import { addMember, getMember, listMembers, Member, Scalars, updateMember } from "#shared/cohort/members.ts"
import { metadataTable } from "#shared/cohort/metadata-table.ts"
import { Fault } from "#shared/errors.ts"
import { keys } from "#shared/store/keys.ts"
import type { ApiPorts } from "../ports.ts"
import { body, Damaged, json, listing, named, params, problems, resource } from "./route.ts"

const Described = named("Member", Member)

const list = createRoute({
  method: "get",
  path: "/cohorts/{cohort}/members",
  tags: ["cohorts"],
  summary: "The cohort's series with their metadata and labels",
  request: { params: params.cohort },
  responses: {
    200: json(z.object({ members: z.array(Described), damaged: Damaged }), "The members"),
    ...problems(404),
  },
})

const show = createRoute({
  method: "get",
  path: "/cohorts/{cohort}/members/{series}",
  tags: ["cohorts"],
  summary: "One series of the cohort",
  request: { params: params.member },
  responses: { 200: json(Described, "The member"), ...problems(404) },
})

const Columns = z
  .strictObject({ metadata: Scalars.optional(), labels: Scalars.optional() })
  .openapi("MemberColumns", { description: "Each of the two replaces what was there; one left out stays." })

const update = createRoute({
  method: "put",
  path: "/cohorts/{cohort}/members/{series}",
  tags: ["cohorts"],
  summary: "Set the metadata and labels of a series of the cohort",
  description:
    "A series that was embedded for another cohort of the same encoder joins this one, and is not embedded again. " +
    "Of a published series searches show and filter the new metadata after the next publish; probes read labels at once.",
  request: {
    params: params.member,
    body: body(Columns, { metadata: { age: 61, sex: "F", patient: "p7" }, labels: { nodule: true } }),
  },
  responses: { 200: json(Described, "The member as it is now"), ...problems(400, 404) },
})

const label = createRoute({
  method: "post",
  path: "/cohorts/{cohort}/labels",
  tags: ["cohorts"],
  summary: "Give many series of the cohort labels, by CSV",
  description:
    "A header, and a row for each series, told by a column `series` or `source`; the other columns are laid over the labels " +
    "that there are, an empty cell meaning that a label is known to be absent. Rows of no series of the cohort are listed.",
  request: {
    params: params.cohort,
    body: {
      required: true,
      content: {
        "text/csv": { schema: z.string(), example: "source,nodule,days,died\nscan-1,true,412,false\n" },
      },
    },
  },
  responses: {
    200: json(named("LabelledCohort", LabelledCohort), "What was labelled"),
    ...problems(400, 404, 413),
  },
})

export const members = resource()
  .openapi(label, async (c) => {
    const { cohort } = c.req.valid("param")
    return c.json(await labelCohort(c.get("ports").objects, cohort, metadataTable(await c.req.text())), 200)
  })
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { cohort } = await getCohort(objects, c.req.valid("param").cohort)
    const { found, damaged } = await listing((onDamaged) => listMembers(objects, cohort, onDamaged))
    return c.json({ members: found, damaged }, 200)
  })
  .openapi(show, async (c) => {
    const { objects } = c.get("ports")
    const { cohort, series } = c.req.valid("param")
    await getCohort(objects, cohort)
    return c.json(existing(await getMember(objects, cohort, series), c.req.valid("param")), 200)
  })
  .openapi(update, async (c) => {
    const ports = c.get("ports")
    const { cohort, series } = c.req.valid("param")
    const { encoder } = await getCohort(ports.objects, cohort)
    const columns = c.req.valid("json")
    const member =
      (await updateMember(ports.objects, cohort, series, columns)) ??
      (await join(ports, { cohort, series, encoder, columns }))
    return c.json(existing(member, c.req.valid("param")), 200)
  })

interface Joining {
  cohort: string
  series: string
  encoder: string
  columns: z.infer<typeof Columns>
}

/** Makes an embedded series a member; undefined when its features under the cohort's encoder are not here. */
async function join({ objects, now }: ApiPorts, joining: Joining): Promise<Member | undefined> {
  const { cohort, series, encoder, columns } = joining
  if (!(await objects.has(keys.features(encoder, series)))) return undefined
  return addMember(objects, cohort, { series, source: series, ...columns }, now())
}

function existing(
  member: Member | undefined,
  { cohort, series }: { cohort: string; series: string },
): Member {
  if (member) return member
  throw new Fault(
    "missing",
    "no-such-member",
    `series ${series} is not in cohort ${cohort}: add it with POST /v1/series`,
  )
}
