/** `pnpm servers`: keeps one server of each engine for development, until Ctrl-C. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { everyEngine } from './engines.ts'
import { reasonOf } from './errors.ts'
import { interruption } from './process/interruption.ts'

const say = (line: string): void => console.error(line)

const names = everyEngine.map(([, { name }]) => name).join(' and ')

const help = `Starts ${names}, prints the environment variables by which tests and programs find them, and keeps them until Ctrl-C.
Each listens at its usual port where that is free, so that tests find it without the variables too.

pnpm servers

  --help   prints this`

/** Exits where the arguments ask for anything but servers. */
const readArguments = (): void => {
  try {
    if (!parseArgs({ options: { help: { type: 'boolean', default: false } } }).values.help) return
    console.log(help)
    process.exit()
  } catch (error) {
    say(`${reasonOf(error)}\n\n${help}`)
    process.exit(2)
  }
}
readArguments()

const stopping = interruption()
const stopped = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve(), { once: true }))
const starting = Promise.allSettled(
  everyEngine.map(async ([, engine]) => {
    const server = await engine.keep(say)
    return { ...server, variables: engine.environmentOf(server.endpoint) }
  }),
)

// After Ctrl-C during a start, the servers and their data go with this process.
const outcomes = await Promise.race([starting, stopped])
if (outcomes !== undefined) {
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  for (const { reason } of failed) say(reasonOf(reason))
  if (failed.length === 0) {
    for (const [name, value] of started.flatMap(({ variables }) => Object.entries(variables))) console.log(`export ${name}=${value}`)
    say(`${names} run until Ctrl-C, and their data go with them.`)
    const awake = setInterval(() => {}, 60_000)
    await stopped
    clearInterval(awake)
    // Ctrl-C is the usual end.
    process.exitCode = 0
  } else process.exitCode = 1
  await Promise.all(started.map((server) => server.stop()))
}
process.exit()
