export function findPython(names?: string[]): string | undefined
export function atLeast311(version: string): boolean
export function venvStamp(version: string, requirements: string | Uint8Array): string
