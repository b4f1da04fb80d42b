/**
 * For a worker: ends this process when the local queue that started it dies, so that no job goes on unseen and is
 * run again beside itself. Does nothing in a process that no queue started.
 */
export function exitWithQueue(): void {
  if (!process.connected) return
  process.on("disconnect", () => process.exit(1))
  process.channel?.unref() // listening is no reason to stay alive
}
