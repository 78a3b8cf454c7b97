import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Program } from '../../bench.ts'
import { serversOf } from '../../bench.ts'
import { endAll, machineMs } from '../../nodes/child.ts'
import type { Report } from '../../nodes/commands.ts'
import type { Answer } from '../../nodes/load.ts'
import { openManager } from '../../nodes/open-manager.ts'
import { freshPrefix } from '../../nodes/prefix.ts'
import type { Node, OwnServers } from '../../platforms/platform.ts'
import type { Figure } from '../../report/figures.ts'
import type { Fates } from './fates.ts'
import { fatesOf } from './fates.ts'
import { recovered, share, windowMs } from './recovered.ts'

const submitters = 64
const perSecond = 100
const nodes = { 'worker-1': 16, 'worker-2': 16, submitter: 0 }

/** How long the load runs before an outage, and over how much of that time its rate is measured, in milliseconds. */
const steadyMs = 25_000
const beforeMs = 10_000

/** How long the load runs after an outage, and over how much of that time the recovered rate is measured, in milliseconds. */
const afterOutageMs = 60_000
const laterMs = 30_000

/** How long all tasks may take to end after the load, in milliseconds. */
const settleMs = 180_000

const pollMs = 20

interface Outage {
  readonly name: string
  readonly begin: () => Promise<void>
  readonly end: () => Promise<void>
}

const outagesOf = ({ cassandra, rabbitmq }: OwnServers): readonly Outage[] => [
  {
    name: 'broker',
    // RabbitMQ 3.10 loses a queue if it is killed within two seconds of the queue's declaration.
    begin: async () => {
      await rabbitmq.flush()
      await rabbitmq.kill()
    },
    end: () => rabbitmq.start(),
  },
  { name: 'store', begin: () => cassandra.kill(), end: () => cassandra.start() },
]

/** The observations of an outage. Times are of {@link machineMs}. */
interface Observed {
  readonly downAt: number
  /** When the engine answered again. */
  readonly returnedAt: number
  /** The ends of bodies, as the bodies report them, outside the system. */
  readonly ended: readonly Report[]
  readonly answers: readonly Answer[]
  readonly fates: Fates
}

const observe = async ({ platform, scale, outageMs }: Bench, { begin, end }: Outage): Promise<Observed> => {
  const prefix = freshPrefix()
  const children = await platform.startNodes({ prefix, nodes, isFaulty: true })
  const submitter = children.at(-1) as Node
  const ended: Report[] = []
  for (const child of children) child.hear((report) => void ended.push(report))
  try {
    await submitter.call('beginLoad', { perSecond: perSecond * scale, submitters })
    await sleep(steadyMs)
    await begin()
    const downAt = machineMs()
    await sleep(outageMs)
    await end()
    const returnedAt = machineMs()
    await sleep(afterOutageMs)
    const answers = await submitter.call('endLoad')
    const judge = await openManager({
      target: platform.target,
      prefix,
      name: 'judge',
      slots: 0,
      log: platform.logOf(`${prefix}-judge`, true),
    })
    try {
      const isSettled = async (): Promise<boolean> => {
        const { tasks } = await judge.list({ status: ['waiting', 'inProgress', 'cancelRequested'], limit: 1 })
        return tasks.length === 0
      }
      const deadline = machineMs() + settleMs
      while (machineMs() < deadline && !(await isSettled())) await sleep(pollMs)
      return { downAt, returnedAt, ended, answers, fates: await fatesOf(judge, answers) }
    } finally {
      await judge.close()
    }
  } finally {
    await endAll(children)
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

const maxWaitOf = (answers: readonly Answer[]): string =>
  seconds(Math.max(...answers.map(({ askedAt, answeredAt }) => answeredAt - askedAt)))

/** The answers to submits by code, each with its longest wait. */
const describeAnswers = (answers: readonly Answer[]): string =>
  [...Map.groupBy(answers, ({ code = 'acknowledged' }) => code)]
    .map(([code, those]) => `${those.length} ${code}, the longest wait ${maxWaitOf(those)} s`)
    .join('; ')

const figuresOf = (what: string, maxRate: number, { downAt, returnedAt, ended, answers, fates }: Observed): readonly Figure[] => {
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
      detail: `${submitters} submitters, at most ${maxRate}/s; while it was down ${rateWithin(downAt, returnedAt).toFixed(1)}/s`,
    },
    {
      name: `${what}: throughput is back`,
      value: afterMs / 1_000,
      unit: 's',
      detail: `${100 * share} % of the earlier rate within ${windowMs / 1_000} s, included; ${laterRate.toFixed(0)}/s in the ${laterMs / 1_000} s after that; tasks/s in each ${windowMs / 1_000} s since its return: ${rates.map((rate) => rate.toFixed(0)).join(' ')}`,
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
      detail: `of them exist ${fates.unacknowledged}, ended ${fates.unacknowledgedEnded}; answers during the outage: ${describeAnswers(meanwhile)}`,
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
      detail: `bodies that completed again: ${ended.length - firstEnds.size}; other faults of histories: ${fates.faults.length} ${fates.faults.slice(0, 3).join(', ')}`,
      aim: '0',
    },
  ]
}

/** Each engine is killed under load, stays away, and is started again on its data. */
export const outages: Program = {
  about: 'the broker, then the store, is away under load: seconds until throughput is back, tasks lost; needs --sync',
  on: ['servers'],
  isLong: true,
  maxMs: 2_400_000,
  async run(bench): Promise<readonly Figure[]> {
    const { own } = serversOf(bench)
    if (own === undefined) throw new Error('an outage needs servers that were started for the run: give --sync batch')
    const figures: Figure[] = []
    for (const outage of outagesOf(own))
      figures.push(...figuresOf(`${outage.name} away ${bench.outageMs / 1_000} s`, perSecond * bench.scale, await observe(bench, outage)))
    return figures
  },
}
