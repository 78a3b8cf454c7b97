import process from 'node:process'

const wanted = 24

// Before anything else is loaded: older releases have no node:sqlite, or warn of it.
if (Number.parseInt(process.versions.node) < wanted) {
  process.stderr.write(`This example needs Node ${wanted} or newer, and this is ${process.versions.node}. In the folder of the repository, npm start brings one.\n`)
  process.exit(2)
}

// `… | head` closes the pipe before all is said.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const { main } = await import('./cli.ts')
process.exitCode = await main(process.argv.slice(2))
