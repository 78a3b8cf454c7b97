import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, EngineFigure, NodeChild, Program } from '../bench.ts'
import { endAll, freshPrefix, logOf, startNodes } from '../bench.ts'
import type { Fates } from '../fates.ts'
import { fatesOf } from '../fates.ts'
import type { Answer } from '../load.ts'
import type { Told } from '../node.ts'
import { openManager } from '../node.ts'
import type { OwnServers } from '../open-engines.ts'
import { recovered, share, windowMs } from '../recovered.ts'
import { machineMs } from '../rpc.ts'
import { until } from '../until.ts'

const submitters = 64
const perSecond = 100
const nodes = { 'worker-1': 16, 'worker-2': 16, submitter: 0 }

/** How long the load goes on before an outage, and over how much of that its rate is taken, in milliseconds. */
const steadyMs = 25_000
const beforeMs = 10_000

/** How long the load goes on after it, and how much of that is looked at to see whether throughput stays, in milliseconds. */
const goesOnMs = 60_000
const laterMs = 30_000

/** How long all that was submitted may take to end then, in milliseconds. */
const settleMs = 180_000

interface Outage {
  readonly name: string
  readonly begin: () => Promise<void>
  readonly end: () => Promise<void>
}

const outagesOf = ({ cassandra, rabbitmq }: OwnServers): readonly Outage[] => [
  {
    name: 'broker',
    // RabbitMQ 3.10 forgets where the data of a new queue are if it is killed within two seconds.
    begin: async () => {
      await rabbitmq.flush()
      await rabbitmq.kill()
    },
    end: () => rabbitmq.start(),
  },
  { name: 'store', begin: () => cassandra.kill(), end: () => cassandra.start() },
]

/** What was seen of an outage; times are of {@link machineMs}. */
interface Seen {
  readonly downAt: number
  /** When the engine answered again. */
  readonly returnedAt: number
  /** The ends of bodies, as they told them past the system. */
  readonly ended: readonly Told[]
  readonly answers: readonly Answer[]
  readonly fates: Fates
}

const see = async (bench: Bench, { begin, end }: Outage): Promise<Seen> => {
  const prefix = freshPrefix()
  const children = await startNodes(bench, { prefix, nodes, isHarmed: true })
  const submitter = children.at(-1) as NodeChild
  const ended: Told[] = []
  for (const child of children) child.hear((told) => void ended.push(told))
  try {
    await submitter.call('beginLoad', { perSecond: perSecond * bench.scale, submitters })
    await sleep(steadyMs)
    await begin()
    const downAt = machineMs()
    await sleep(bench.outageMs)
    await end()
    const returnedAt = machineMs()
    await sleep(goesOnMs)
    const answers = await submitter.call('endLoad')
    const judge = await openManager({ engines: bench.engines, prefix, name: 'judge', slots: 0, ...logOf(bench, `${prefix}-judge`, true) })
    try {
      const isSettled = async (): Promise<boolean> => {
        const { tasks } = await judge.list({ status: ['waiting', 'inProgress', 'cancelRequested'], limit: 1 })
        return tasks.length === 0
      }
      await until(settleMs, isSettled)
      return { downAt, returnedAt, ended, answers, fates: await fatesOf(judge, answers) }
    } finally {
      await judge.close()
    }
  } finally {
    await endAll(children)
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

const longestOf = (answers: readonly Answer[]): string =>
  seconds(Math.max(...answers.map(({ askedAt, answeredAt }) => answeredAt - askedAt)))

/** What submitters were told, and how long they waited for that. */
const toldOf = (answers: readonly Answer[]): string =>
  [...Map.groupBy(answers, ({ code = 'acknowledged' }) => code)]
    .map(([code, those]) => `${those.length} ${code}, the longest wait ${longestOf(those)} s`)
    .join('; ')

const figuresOf = (what: string, atMost: number, { downAt, returnedAt, ended, answers, fates }: Seen): readonly EngineFigure[] => {
  const times = ended.map(({ at }) => at)
  const rateWithin = (from: number, to: number): number => times.filter((at) => at >= from && at < to).length / ((to - from) / 1_000)
  const before = rateWithin(downAt - beforeMs, downAt)
  const { afterMs, rates } = recovered(times, returnedAt, before)
  const laterRate = rateWithin(returnedAt + afterMs, returnedAt + afterMs + laterMs)
  const meanwhile = answers.filter(({ askedAt, answeredAt }) => askedAt < returnedAt && answeredAt > downAt)
  const olderIds = new Set(answers.flatMap(({ taskId, askedAt }) => (askedAt < returnedAt ? (taskId ?? []) : [])))
  const firstEnds = new Map(ended.toReversed().map(({ taskId, at }) => [taskId, at]))
  const lastOfOlder = Math.max(...[...firstEnds].map(([taskId, at]) => (olderIds.has(taskId) ? at : -Infinity)))
  const notAcknowledged = answers.filter(({ code }) => code !== undefined)
  return [
    {
      name: `${what}: before`,
      value: before,
      unit: 'tasks/s',
      detail: `${submitters} submitters, ${atMost}/s at most; while it was down ${rateWithin(downAt, returnedAt).toFixed(1)}/s`,
    },
    {
      name: `${what}: throughput is back`,
      value: afterMs / 1_000,
      unit: 's',
      detail: `${100 * share} % of before within ${windowMs / 1_000} s, which count; ${laterRate.toFixed(0)}/s in the ${laterMs / 1_000} s after that; tasks/s in each ${windowMs / 1_000} s since its return: ${rates.map((rate) => rate.toFixed(0)).join(' ')}`,
      aim: 'under 30',
    },
    {
      name: `${what}: the last task from before its return has run`,
      value: (lastOfOlder - returnedAt) / 1_000,
      unit: 's',
      detail: 'after its return',
    },
    {
      name: `${what}: submits not acknowledged`,
      value: notAcknowledged.length,
      unit: 'tasks',
      detail: `there all the same ${fates.thereAllTheSame}, ended ${fates.endedAllTheSame}; told meanwhile: ${toldOf(meanwhile)}`,
    },
    {
      name: `${what}: tasks lost`,
      value: fates.lost,
      unit: 'tasks',
      detail: `${fates.acknowledged} acknowledged, ${fates.acknowledged - fates.lost} settled`,
      aim: '0',
    },
    {
      name: `${what}: tasks settled twice`,
      value: fates.settledTwice,
      unit: 'tasks',
      detail: `bodies that ran to their end again: ${ended.length - firstEnds.size}; other faults of histories: ${fates.faults.length} ${fates.faults.slice(0, 3).join(', ')}`,
      aim: '0',
    },
  ]
}

/** Each engine is killed under load, stays away, and is started on its data. */
export const outages: Program = {
  about: 'the broker, then the store, is away under load: seconds until throughput is back, tasks lost; with --sync',
  longestMs: 2_400_000,
  async run(bench): Promise<readonly EngineFigure[]> {
    if (bench.own === undefined) throw new Error('an outage needs servers of its own: give --sync batch')
    const figures: EngineFigure[] = []
    for (const outage of outagesOf(bench.own))
      figures.push(...figuresOf(`${outage.name} away ${bench.outageMs / 1_000} s`, perSecond * bench.scale, await see(bench, outage)))
    return figures
  },
}
