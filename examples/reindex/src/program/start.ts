import process from 'node:process'

const minNode = 24

/** Runs a program in this process. `load` loads the rest of it, which needs a recent Node. */
export const startProgram = async (
  name: string,
  load: () => Promise<{ readonly main: (args: readonly string[]) => Promise<number> }>,
): Promise<void> => {
  // Before anything else is loaded: older releases have no node:sqlite, or warn about it.
  if (Number.parseInt(process.versions.node) < minNode) {
    process.stderr.write(
      `This example needs Node ${minNode} or newer, and this is ${process.versions.node}. In the folder of the repository, ${name} fetches one.\n`,
    )
    process.exit(2)
  }
  // `… | head` closes the pipe before the end of the output, and a terminal window can be closed too.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
      process.exit()
    })
  const { main } = await load()
  process.exitCode = await main(process.argv.slice(2))
}
