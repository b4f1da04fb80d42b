export interface Machine {
  platform: string
  arch: string
  compiler: boolean
}
export function thisMachine(path?: string): Machine
export function staleness(root: string, machine: Machine): string | undefined
export function installEnvironment(
  execPath?: string,
  env?: Record<string, string | undefined>,
): Record<string, string | undefined>
