/** Imported first by every entry that a person starts: an old Node gets one clear line and exit 2, no stack. */
const [major, minor] = process.versions.node.split(".").map(Number)

// 20.6 brought module.register, with which tsx loads TypeScript (package.json, engines).
if (major < 20 || (major === 20 && minor < 6)) {
  process.stderr.write(
    `voxkin needs Node 20.6 or newer; this is ${process.version}. Install a newer Node, then repeat.\n`,
  )
  process.exit(2)
}
