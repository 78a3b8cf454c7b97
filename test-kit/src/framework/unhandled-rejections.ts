import { AsyncLocalStorage } from 'node:async_hooks'
import process from 'node:process'

/** What was rejected, and nobody handled it, while a rule ran. */
export interface Rejections {
  /** What the rule is called where nobody can tell whose a rejection is. */
  readonly ruleId: string
  readonly reasons: unknown[]
  /** Whether the rule is over, and did not hold: what it left behind tells nothing new. */
  hasFailed: boolean
}

/** A rejection that cannot be laid at one rule's door. */
export interface StrayRejection {
  readonly reason: unknown
  /** The rules that ran at that moment. */
  readonly ruleIds: readonly string[]
}

const owner = new AsyncLocalStorage<Rejections>()
const running = new Set<Rejections>()
const strays: StrayRejection[] = []

const onUnhandled = (reason: unknown): void => {
  // A rejection belongs to the rule that began what was rejected. A pool that the rules share may begin things of its own.
  const [first, ...others] = running
  const own = owner.getStore() ?? (others.length === 0 ? first : undefined)
  if (own?.hasFailed === true) return
  if (own !== undefined && running.has(own)) own.reasons.push(reason)
  else strays.push({ reason, ruleIds: [...running].map(({ ruleId }) => ruleId) })
}

/** Runs a rule, and hears of the rejections that nobody handles meanwhile. */
export const hearRejections = async <Result>(ruleId: string, body: (rejections: Rejections) => Promise<Result>): Promise<Result> => {
  const rejections: Rejections = { ruleId, reasons: [], hasFailed: false }
  if (running.size === 0) process.on('unhandledRejection', onUnhandled)
  running.add(rejections)
  try {
    return await owner.run(rejections, () => body(rejections))
  } catch (error) {
    rejections.hasFailed = true
    throw error
  } finally {
    // The platform tells of them when it has no more to do.
    await new Promise((resolve) => setImmediate(resolve))
    running.delete(rejections)
    if (running.size === 0) process.off('unhandledRejection', onUnhandled)
  }
}

/** Waits until the platform has told, and fails where there is something to tell. */
export const failOnRejections = async ({ reasons }: Rejections): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve))
  if (reasons.length > 0) throw new Error('A promise was rejected, and nobody handled it', { cause: reasons[0] })
}

/** The rejections since the last call that belong to no rule. */
export const takeStrayRejections = (): readonly StrayRejection[] => strays.splice(0)
