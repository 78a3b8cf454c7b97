import process from 'node:process'

const wanted = 24

// Before anything else is loaded: older releases have no node:sqlite, or warn of it.
if (Number.parseInt(process.versions.node) < wanted) {
  process.stderr.write(
    `This example needs Node ${wanted} or newer, and this is ${process.versions.node}. In the folder of the repository, npm run cluster brings one.\n`,
  )
  process.exit(2)
}

// `… | head` closes the pipe before all is said; a terminal window can be closed too.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    process.exit()
  })

const { main } = await import('./cli.ts')
process.exitCode = await main(process.argv.slice(2))
