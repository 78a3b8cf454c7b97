/** Keeps a Cassandra and a RabbitMQ for whoever works on the project, until Ctrl-C: `pnpm servers`. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isFree } from './ports.ts'
import { startCassandra } from './start-cassandra.ts'
import { startRabbitmq } from './start-rabbitmq.ts'

const say = (line: string): void => console.error(line)

const help = `Starts a Cassandra and a RabbitMQ, says where they are, and keeps them until Ctrl-C.

pnpm servers

It takes no options: both are at their usual ports where those are free.`

/** Exits where something else was asked for than servers. */
const readArguments = (): void => {
  try {
    if (!parseArgs({ options: { help: { type: 'boolean', default: false } } }).values.help) return
    console.log(help)
    process.exit()
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exit(2)
  }
}
readArguments()

/** At their usual ports tests find them without being told. */
const usualPort = async (port: number): Promise<{ readonly port?: number }> => ((await isFree(port)) ? { port } : {})

const stopping = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
})
const starting = Promise.allSettled([
  startCassandra({ say, name: 'kept', ...(await usualPort(9042)) }),
  startRabbitmq({ say, name: 'kept', ...(await usualPort(5672)) }),
] as const)

// Ctrl-C during a start: what has started by then ends with this process.
const outcomes = await Promise.race([starting, stopping])
if (outcomes !== undefined) {
  const [cassandra, rabbitmq] = outcomes
  for (const outcome of outcomes) if (outcome.status === 'rejected') say(String(outcome.reason))
  if (cassandra.status === 'fulfilled' && rabbitmq.status === 'fulfilled') {
    console.log(`export CASSANDRA_CONTACT_POINTS=${cassandra.value.endpoint.contactPoints.join(',')}`)
    console.log(`export CASSANDRA_LOCAL_DATA_CENTER=${cassandra.value.endpoint.localDataCenter}`)
    console.log(`export AMQP_URL=${rabbitmq.value.endpoint.url}`)
    say('Both run until Ctrl-C; their data go with them.')
    const awake = setInterval(() => {}, 60_000)
    await stopping
    clearInterval(awake)
  } else process.exitCode = 1
  await Promise.all(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.stop() : Promise.resolve())))
}
process.exit()
