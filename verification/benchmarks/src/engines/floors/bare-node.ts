import { randomUUID } from 'node:crypto'
import type { Client } from 'cassandra-driver'
import type { Burst, BurstTimes } from '../burst.ts'
import { burst } from '../burst.ts'
import type { Counts } from '../counts.ts'
import { countDrivers, takeCounts } from '../counts.ts'
import type { Engines } from '../engines.ts'
import { clientOf } from '../engines.ts'
import { serve } from '../rpc.ts'
import { bareBody } from './bare-schema.ts'
import type { BareLink } from './bare-link.ts'
import { confirmed, declareQueue, listen, openLink } from './bare-link.ts'
import { AdapterStore } from './adapter-store.ts'
import type { BareTask, LifeStore } from './bare-store.ts'
import { BareWriter } from './bare-writer.ts'
import { Grouped } from './grouped.ts'

/** A process of the floor of the whole: the statements and messages of no-op tasks, without the framework. */
export interface BareNodeArgument {
  readonly engines: Engines
  readonly name: string
  readonly isCounting: boolean
}

/** What a process of the floor can be asked for. */
export interface BareCommands {
  readonly [name: string]: (argument: never) => Promise<unknown>
  readonly open: () => Promise<void>
  readonly work: (slots: number) => Promise<void>
  readonly burst: (burst: Burst) => Promise<BurstTimes>
  readonly counts: () => Promise<Counts>
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

const openNode = async ({ engines, name, isCounting }: BareNodeArgument, client: Client): Promise<BareNode> => {
  if (isCounting) await countDrivers(engines.amqp.url)
  await client.connect()
  const store = new AdapterStore(client, name)
  const link = await openLink(engines.amqp.url)
  await declareQueue(link.consumer, name)
  const notices = new Grouped<BareNotice>(100, (_key, items) =>
    confirmed(link.publisher, `${name}.events`, '', Buffer.from(JSON.stringify(items)), {}),
  )
  return { store, writer: new BareWriter(store), link, publish: (notice) => notices.add('', notice), running: new Set() }
}

/** Takes tasks: started, completed, shown to everybody and in the list, acknowledged. */
const work = async ({ writer, link, publish, running }: BareNode, name: string, slots: number): Promise<void> => {
  const run = async (content: Buffer): Promise<void> => {
    const { task } = JSON.parse(content.toString()) as { task: BareTask }
    await writer.append(task, 2)
    // Of the start only the notice goes out, beside the rest: the row of the end comes soon enough to stand for both.
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

/** Draws tasks in cohorts as the framework does: at most 32, within 50 ms. */
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

/** Reads histories, those of a cohort together, and says how many events each has. */
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

/** Submits one task; resolves, once it is durable, with a wait for its end. */
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
      // As whoever awaits does: listen, look, wait, look again.
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
  const { engines, name } = argument
  const client = clientOf(engines)
  const opened = openNode(argument, client)
  let submit: Submit | undefined
  return {
    commands: {
      open: async () => void (await opened),
      work: async (slots: number) => work(await opened, name, slots),
      async burst(asked: Burst): Promise<BurstTimes> {
        submit ??= await openSubmitter(await opened, name)
        const one = submit
        return burst(asked, async () => (await one()).ended)
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
