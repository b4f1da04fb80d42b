import { isIPv4 } from "node:net"

/** Whether a host is this machine for certain; a name such as 127.0.0.1.example.org is somebody's domain. */
export function isLoopback(host: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(host) || (isIPv4(host) && host.startsWith("127."))
}
