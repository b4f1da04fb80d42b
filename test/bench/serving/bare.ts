/** A bare node:http server that reads each body and answers always the same, its argument; it prints its address. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const server = createServer((request, response) => {
  request.on("data", () => {})
  request.on("end", () => response.setHeader("content-type", "application/json").end(process.argv[2]))
})
server.listen(0, "127.0.0.1", () => {
  console.error(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
