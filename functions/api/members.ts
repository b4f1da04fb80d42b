import { createRoute, z } from "@hono/zod-openapi"
import { getCohort } from "#shared/cohort/cohort.ts"
import { getMember, listMembers, Member, putMember, Scalars } from "#shared/cohort/members.ts"
import { Fault } from "#shared/errors.ts"
import { body, json, named, params, problems, resource } from "./route.ts"

const Described = named("Member", Member)

const list = createRoute({
  method: "get",
  path: "/cohorts/{cohort}/members",
  tags: ["cohorts"],
  summary: "The cohort's series with their metadata and labels",
  request: { params: params.cohort },
  responses: { 200: json(z.object({ members: z.array(Described) }), "The members"), ...problems(404) },
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
    "Searches show and filter the new metadata after the next publish; probes read labels at once.",
  request: {
    params: params.member,
    body: body(Columns, { metadata: { age: 61, sex: "F", patient: "p7" }, labels: { nodule: true } }),
  },
  responses: { 200: json(Described, "The member as it is now"), ...problems(400, 404) },
})

export const members = resource()
  .openapi(list, async (c) => {
    const { objects } = c.get("ports")
    const { cohort } = await getCohort(objects, c.req.valid("param").cohort)
    return c.json({ members: await listMembers(objects, cohort) }, 200)
  })
  .openapi(show, async (c) => {
    const { cohort, series } = c.req.valid("param")
    return c.json(await existing(c.get("ports").objects, cohort, series), 200)
  })
  .openapi(update, async (c) => {
    const { objects } = c.get("ports")
    const { cohort, series } = c.req.valid("param")
    const member = { ...(await existing(objects, cohort, series)), ...c.req.valid("json") }
    await putMember(objects, cohort, member)
    return c.json(member, 200)
  })

async function existing(
  objects: Parameters<typeof getMember>[0],
  cohort: string,
  series: string,
): Promise<Member> {
  await getCohort(objects, cohort)
  const member = await getMember(objects, cohort, series)
  if (!member) {
    throw new Fault(
      "missing",
      "no-such-member",
      `series ${series} is not in cohort ${cohort}: add it with POST /v1/series`,
    )
  }
  return member
}
