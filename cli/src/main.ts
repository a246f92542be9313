// The version is checked before anything else is loaded: an old Node would stop at the first syntax or module that it does not know.
const wanted: readonly [number, number] = [22, 19]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  process.stderr.write(
    `hotspan needs Node ${wanted.join('.')} or newer; this is Node ${process.versions.node}.\nInstall Node 24 (https://nodejs.org) and run the command again.\n`,
  )
  process.exitCode = 2
} else {
  const { run } = await import('./run.ts')
  await run(process.argv)
}
