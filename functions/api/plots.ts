import { createRoute, z } from "@hono/zod-openapi"
import { readPlot } from "#shared/probe/evidence.ts"
import { getProbe } from "#shared/probe/predict.ts"
import { ProbeVersion } from "#shared/probe/record.ts"
import { params, problems, resource } from "./route.ts"

const show = createRoute({
  method: "get",
  path: "/probes/{name}/plots/{plot}",
  tags: ["probes"],
  summary:
    "A plot of the out-of-fold predictions of a version of a probe; of the one that answers unless named",
  description:
    "`plots` of the probe lists them: `roc.svg` and `calibration.svg`, `errors.svg`, or `survival.svg`. Beside them there is " +
    "`learning-curve.svg` once a learning curve was made, and `overlay-SERIES.svg` of a series that `probe explain --keep` drew: slices of " +
    "its scan, with what each place adds to the score laid over them.",
  request: {
    params: params.probe.extend({ plot: z.string().openapi({ example: "roc.svg" }) }),
    query: z.object({ version: ProbeVersion.optional() }),
  },
  responses: {
    200: {
      description: "The plot",
      content: { "image/svg+xml": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...problems(400, 404, 503),
  },
})

export const plots = resource().openapi(show, async (c) => {
  const { objects } = c.get("ports")
  const { name, plot } = c.req.valid("param")
  const svg = await readPlot(objects, await getProbe(objects, name, c.req.valid("query").version), plot)
  return c.body(svg.slice(), 200, {
    "content-type": "image/svg+xml",
    // An SVG is a document of its own in a browser. Ours has no script and fetches nothing, and could not if it had.
    "content-security-policy": "default-src 'none'; sandbox",
    // Another version's comes under the same address.
    "cache-control": "no-cache",
  })
})
