import { AsyncLocalStorage } from 'node:async_hooks'
import process from 'node:process'

/** The unhandled rejections of a rule. */
export interface Rejections {
  /** The rule, for the report of a rejection that belongs to no single rule. */
  readonly ruleId: string
  readonly reasons: unknown[]
  /** Whether the rule has failed: its later rejections say nothing new. */
  hasFailed: boolean
}

/** A rejection that belongs to no single rule. */
export interface StrayRejection {
  readonly reason: unknown
  /** The rules that ran at the time. */
  readonly ruleIds: readonly string[]
}

const owner = new AsyncLocalStorage<Rejections>()
const running = new Set<Rejections>()
const strays: StrayRejection[] = []

const onUnhandled = (reason: unknown): void => {
  // A rejection belongs to the rule that started the call. A pool that rules share may start calls of its own.
  const [first, ...others] = running
  const own = owner.getStore() ?? (others.length === 0 ? first : undefined)
  if (own?.hasFailed === true) return
  if (own !== undefined && running.has(own)) own.reasons.push(reason)
  else strays.push({ reason, ruleIds: [...running].map(({ ruleId }) => ruleId) })
}

/** Runs a rule, and records the unhandled rejections meanwhile. */
export const recordRejections = async <Result>(ruleId: string, body: (rejections: Rejections) => Promise<Result>): Promise<Result> => {
  const rejections: Rejections = { ruleId, reasons: [], hasFailed: false }
  if (running.size === 0) process.on('unhandledRejection', onUnhandled)
  running.add(rejections)
  try {
    return await owner.run(rejections, () => body(rejections))
  } catch (error) {
    rejections.hasFailed = true
    throw error
  } finally {
    // The platform reports them when its queue of microtasks is empty.
    await new Promise((resolve) => setImmediate(resolve))
    running.delete(rejections)
    if (running.size === 0) process.off('unhandledRejection', onUnhandled)
  }
}

/** Waits until the platform has reported, and fails where there is an unhandled rejection. */
export const failOnRejections = async ({ reasons }: Rejections): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve))
  if (reasons.length > 0) throw new Error('A promise was rejected and not handled', { cause: reasons[0] })
}

/** The rejections since the last call that belong to no rule. */
export const takeStrayRejections = (): readonly StrayRejection[] => strays.splice(0)
