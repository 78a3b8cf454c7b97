import { randomUUID } from 'node:crypto'
import type { Client } from 'cassandra-driver'
import type { Burst, BurstTimes } from '../nodes/burst.ts'
import { burst } from '../nodes/burst.ts'
import type { BurstCommands } from '../nodes/commands.ts'
import { countDrivers, takeCounts } from '../measure/counts.ts'
import type { Endpoints } from '../platforms/endpoints.ts'
import { clientOf } from '../platforms/endpoints.ts'
import { serve } from '../nodes/child.ts'
import { bareBody } from './bare-schema.ts'
import type { BareLink } from './bare-link.ts'
import { confirmed, declareQueue, listen, openLink } from './bare-link.ts'
import { AdapterStore } from './adapter-store.ts'
import type { BareTask, LifeStore } from './bare-store.ts'
import { BareWriter } from './bare-writer.ts'
import { Grouped } from './grouped.ts'

/** A process of the floor: the statements and messages of no-op tasks, without the framework. */
export interface BareNodeArgument {
  readonly endpoints: Endpoints
  readonly name: string
  readonly isCounting: boolean
}

/** What a process of the floor can do. */
export interface BareCommands extends BurstCommands {
  readonly open: () => Promise<void>
  readonly work: (slots: number) => Promise<void>
}

interface BareNotice {
  readonly task: string
  readonly version: number
}

interface BareNode {
  readonly store: LifeStore
  readonly writer: BareWriter
  readonly link: BareLink
  readonly publish: (notice: BareNotice) => Promise<void>
  /** The tasks that run here. */
  readonly running: Set<Promise<void>>
}

const openNode = async ({ endpoints, name, isCounting }: BareNodeArgument, client: Client): Promise<BareNode> => {
  if (isCounting) await countDrivers(endpoints.amqp.url)
  await client.connect()
  const store = new AdapterStore(client, name)
  const link = await openLink(endpoints.amqp.url)
  await declareQueue(link.consumer, name)
  const notices = new Grouped<BareNotice>(100, (_key, items) =>
    confirmed(link.publisher, `${name}.events`, '', Buffer.from(JSON.stringify(items)), {}),
  )
  return { store, writer: new BareWriter(store), link, publish: (notice) => notices.add('', notice), running: new Set() }
}

/** Runs tasks: started, completed, announced and listed, acknowledged. */
const work = async ({ writer, link, publish, running }: BareNode, name: string, slots: number): Promise<void> => {
  const run = async (content: Buffer): Promise<void> => {
    const { task } = JSON.parse(content.toString()) as { task: BareTask }
    await writer.append(task, 2)
    // The start only has a notice, which nothing waits for: the row of the end follows soon enough.
    const started = publish({ task: task.task, version: 2 })
    await writer.append(task, 3)
    await Promise.all([started, writer.save(task, 3), publish({ task: task.task, version: 3 })])
  }
  await listen(link.consumer, `${name}.events`, () => {})
  await link.consumer.prefetch(slots)
  await link.consumer.consume(name, (message) => {
    if (message === null) return
    const ran = run(message.content).then(() => {
      link.consumer.ack(message)
      running.delete(ran)
    })
    running.add(ran)
  })
}

/** Makes tasks in cohorts as the framework does: at most 32, within 50 ms. */
const drawTasks = (): (() => BareTask) => {
  let cohort = ''
  let drawn = 32
  let openedAt = 0
  return () => {
    const createdAt = Date.now()
    if (drawn === 32 || createdAt - openedAt > 50) {
      cohort = randomUUID().slice(0, -4)
      drawn = 0
      openedAt = createdAt
    }
    return { cohort, task: cohort + (drawn++).toString(16).padStart(4, '0'), createdAt }
  }
}

/** Reads histories, those of a cohort together, and gives the number of events of each. */
const groupedReads = (store: LifeStore): ((task: BareTask) => Promise<number>) => {
  const reads = new Grouped<{ readonly task: BareTask; hear(events: number): void }>(32, async (_cohort, items) => {
    const events = await store.read(items.map(({ task }) => task))
    for (const { task, hear } of items) hear(events.get(task.task) ?? 0)
  })
  return async (task) => {
    let count = 0
    await reads.add(task.cohort, { task, hear: (events) => (count = events) })
    return count
  }
}

/** Submits one task. Resolves once it is durable, with a function that awaits its end. */
type Submit = () => Promise<{ readonly ended: () => Promise<void> }>

const openSubmitter = async ({ store, writer, link, publish }: BareNode, name: string): Promise<Submit> => {
  const waiting = new Map<string, () => void>()
  await listen(link.consumer, `${name}.events`, (content) => {
    for (const { task, version } of JSON.parse(content.toString()) as BareNotice[]) if (version === 3) waiting.get(task)?.()
  })
  const draw = drawTasks()
  const read = groupedReads(store)
  return async () => {
    const task = draw()
    await writer.append(task, 1)
    const content = Buffer.from(JSON.stringify({ task, created: bareBody(task.task, 'event') }))
    await Promise.all([
      writer.save(task, 1),
      publish({ task: task.task, version: 1 }),
      confirmed(link.publisher, '', name, content, { persistent: true, mandatory: true }),
    ])
    return {
      // As an await does: listen, read, wait, read again.
      async ended() {
        const heard = new Promise<void>((resolve) => waiting.set(task.task, resolve))
        if ((await read(task)) < 3) {
          await heard
          await read(task)
        }
        waiting.delete(task.task)
      },
    }
  }
}

serve((argument: BareNodeArgument) => {
  const { endpoints, name } = argument
  const client = clientOf(endpoints)
  const opened = openNode(argument, client)
  let submit: Submit | undefined
  return {
    commands: {
      open: async () => void (await opened),
      work: async (slots: number) => work(await opened, name, slots),
      async burst(given: Burst): Promise<BurstTimes> {
        submit ??= await openSubmitter(await opened, name)
        const one = submit
        return burst(given, async () => (await one()).ended)
      },
      counts: () => Promise.resolve(takeCounts()),
    } satisfies BareCommands,
    async close() {
      const { link, running } = await opened
      await Promise.all(running)
      await link.close()
      await client.shutdown()
    },
  }
})
