/**
 * For a worker: ends this process when the local queue that started it dies, so that no job goes on unseen and is
 * run again beside itself. Does nothing in a process that was started without a message channel.
 */
export function exitWithQueue(): void {
  if (process.connected === undefined) return
  if (!process.connected) process.exit(1) // it died while we were starting
  process.on("disconnect", () => process.exit(1))
  process.channel?.unref() // listening is no reason to stay alive
}
