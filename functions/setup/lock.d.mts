export function withLock<T>(
  file: string,
  work: (startedProcess: (pid: number) => void) => Promise<T>,
  onWait?: () => void,
): Promise<T>
