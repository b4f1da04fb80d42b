import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { Hono } from "hono"
import { html } from "hono/html"

const assets = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"))
const types: Record<string, string> = {
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
}

const page = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>voxkin API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" href="data:," />
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>`

/** The API's documentation page, with its script and style from our own package: nothing is fetched from elsewhere. */
export const docs = new Hono()
  .get("/", (c) => c.html(page))
  .get("/start.js", (c) =>
    c.body('SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs" })', 200, {
      "content-type": "text/javascript; charset=utf-8",
    }),
  )
  .get("/:asset{(?:swagger-ui-bundle\\.js|swagger-ui\\.css)}", async (c) => {
    const asset = c.req.param("asset")
    return c.body(await readFile(join(assets, asset)), 200, {
      "content-type": types[asset],
      "cache-control": "public, max-age=86400",
    })
  })
