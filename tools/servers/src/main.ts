/** Keeps a Cassandra and a RabbitMQ for whoever works on the project, until Ctrl-C: `pnpm servers`. */
import process from 'node:process'
import { isFree } from './ports.ts'
import { startCassandra } from './start-cassandra.ts'
import { startRabbitmq } from './start-rabbitmq.ts'

const say = (line: string): void => console.error(line)

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
