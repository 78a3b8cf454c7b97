import { randomUUID } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import { hasCode } from '@taskledger/core/ports'
import type { Rule, RuleContext } from '../framework/rule.ts'
import { failedWith, holds } from './expectations.ts'
import { outcomeOf } from './outcome.ts'
import type { Closable, PortCall, PortIteration, UnderWay } from './port-call.ts'
import { turns, underWay } from './port-call.ts'

/**
 * The rules of every port: what `close` does, what a signal does, and what happens to a setting that the engine refuses. Their ids end in -T.1
 * to -T.9.
 */
export const traitRules = <Port extends Closable>(prefix: string, calls: readonly PortCall<Port>[]): readonly Rule<Port>[] => [
  {
    id: `${prefix}-T.1`,
    kind: 'plain',
    title: 'after close, every method fails with CLOSED',
    hint: 'check in every method, before anything else, whether the port is closed',
    run: async ({ peer, within }) => {
      const port = await peer()
      await within('a port closes', port.close())
      for (const { method, call } of calls) {
        const thrown = await within(`${method} ends, which was called after close`, outcomeOf((async () => call(port))()))
        failedWith(thrown, 'CLOSED', `${method}, called after close`)
      }
    },
  },
  {
    id: `${prefix}-T.2`,
    kind: 'plain',
    title: 'with an aborted signal, every method rejects at once with the reason of the signal',
    hint: 'call signal.throwIfAborted() before the first step, and race the later steps against the signal',
    run: async ({ port, within }) => {
      const reason = abortReason()
      for (const { method, call } of calls) {
        const what = `${method}, called with an aborted signal`
        const thrown = await within(`${what}, ends`, outcomeOf((async () => call(port, AbortSignal.abort(reason)))()))
        holds(thrown === reason, notTheReason(what, thrown))
      }
    },
  },
  {
    id: `${prefix}-T.3`,
    kind: 'plain',
    title: 'a port can be closed twice, at once or one close after the other',
    hint: 'keep the promise of the first close and return it again',
    run: async ({ peer, within }) => {
      const port = await peer()
      await within('two closes end that began at once', Promise.all([port.close(), port.close()]))
      await within('a third close ends', port.close())
    },
  },
  {
    id: `${prefix}-T.4`,
    kind: 'fault',
    title: 'while the engine is silent, a signal ends each method at once, also a signal that is aborted in the turn of the call',
    hint: 'race every wait for the engine against the signal, and look at `aborted` again after you began to listen: `within` does both',
    notShown: needsStall,
    run: async (context) => {
      const { port, faults, waitUntil } = context
      const succeed = async (): Promise<boolean> => (await Promise.all(calls.map(({ call }) => outcomeOf(call(port))))).every((e) => !e)
      await waitUntil('every method succeeds, before the engine falls silent', succeed)
      const heal = await faults.stall()
      try {
        for (const later of [true, false]) {
          const controller = new AbortController()
          const waiting = calls.map(({ method, call }) => underWay(method, async () => call(port, controller.signal)))
          if (later) await turns(turnsToHang)
          await endsByItsSignal(waiting, controller, later ? 'aborted while the engine is silent' : 'aborted in the turn of the call')
        }
      } finally {
        await heal()
      }
      await waitUntil('every method succeeds, after the engine was silent and calls were aborted', succeed)
    },
  },
  {
    id: `${prefix}-T.5`,
    kind: 'plain',
    title: 'a signal that is aborted in the turn of the call, or between two steps of an iteration, ends the call',
    hint: 'look at the signal again after each wait and before each step; a call that is done already may succeed',
    run: async ({ port, within }) => {
      for (const { method, call, iteration } of calls) {
        await endsInTurn(within, `${method}, aborted in the turn of the call`, (signal) => call(port, signal))
        if (iteration !== undefined) await endsBetweenSteps(port, within, method, iteration)
      }
    },
  },
  {
    id: `${prefix}-T.6`,
    kind: 'plain',
    title: 'a client with a setting that the engine refuses fails with MISCONFIGURED, and does not show a password',
    hint: 'a refusal is not an outage: do not retry it, say what to correct, and leave the secrets out of the message and its cause',
    notShown: ({ openRefused }) => (openRefused === undefined ? 'the harness has no "openRefused"' : undefined),
    run: async ({ openRefused, within }) => {
      for (const time of ['first', 'second']) {
        const password = `refused-${randomUUID()}`
        const opening = `a client with a refused setting, opened for the ${time} time`
        let port: Port | undefined
        const refusal = await within(`${opening}, opens or fails`, outcomeOf((async () => void (port = await openRefused?.(password)))()))
        if (port === undefined) expectMisconfigured(refusal, password, opening)
        // An adapter that connects later is refused later.
        else
          for (const { method, call } of calls)
            expectMisconfigured(await within(`${method} of ${opening}, ends`, outcomeOf(call(port))), password, `${method} of ${opening}`)
        await within(`${opening}, closes`, port?.close() ?? Promise.resolve())
      }
    },
  },
  {
    id: `${prefix}-T.7`,
    kind: 'plain',
    title: 'a call under way when its port is closed ends, with its result, CLOSED or OUTCOME_UNKNOWN',
    hint: 'let the calls under way end, or reject them, before you release the engine; a write that may have happened is not UNAVAILABLE',
    run: async ({ peer, within }) => {
      for (const turnsBefore of [0, 1, 5]) {
        const port = await peer()
        const waiting = await beginAll(port, calls)
        await turns(turnsBefore)
        await within('a port closes with calls under way', port.close())
        for (const { what, end } of waiting) {
          const thrown = await within(`${what} ends, which was under way when its port was closed`, end)
          if (thrown !== undefined) failedWith(thrown, ['CLOSED', 'OUTCOME_UNKNOWN'], `${what}, under way when its port was closed`)
        }
      }
    },
  },
  {
    id: `${prefix}-T.8`,
    kind: 'fault',
    title: 'while the engine is silent, close ends, and so does every call under way',
    hint: 'bound the wait for an orderly end: after it, reject what is under way with CLOSED, and drop the connection',
    notShown: needsStall,
    run: async ({ peer, faults, within }) => {
      const port = await peer()
      const heal = await faults.stall()
      try {
        const waiting = calls.map(({ method, call }) => underWay(method, async () => call(port)))
        await turns(turnsToHang)
        await within('a port closes with calls under way, while the engine is silent', port.close())
        for (const { what, end } of waiting) {
          const thrown = await within(`${what} ends, whose port was closed while the engine is silent`, end)
          const codes = ['CLOSED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN']
          if (thrown !== undefined) failedWith(thrown, codes, `${what}, whose port was closed while the engine is silent`)
        }
      } finally {
        await heal()
      }
    },
  },
  {
    id: `${prefix}-T.9`,
    kind: 'plain',
    title: 'calls that have ended leave no listener on the signal that they shared',
    hint: 'remove your listener from the signal when the call has ended: `within` and `onAbort` do',
    run: async ({ port, within }) => {
      const { signal } = new AbortController()
      for (const { method, call } of calls) {
        for (let count = 0; count < 3; count++) await within(`${method} ends`, outcomeOf((async () => call(port, signal))()))
        const left = getEventListeners(signal, 'abort').length
        holds(left === 0, `${method} was called 3 times and left ${left} listeners on the signal of its callers`)
      }
    },
  },
]

const needsStall = ({ faults }: { readonly faults?: { stall?: unknown } }): string | undefined =>
  faults?.stall === undefined ? 'the harness has no fault "stall"' : undefined

/** So many turns of the event loop that a request has left for the engine. */
const turnsToHang = 50

/** So many that a call which waits for nobody has ended, and far fewer than any request timeout has. */
const turnsToEnd = 100

const abortReason = (): Error => new Error('aborted by the rule')

const notTheReason = (what: string, thrown: unknown): string =>
  `${what}: expected it to reject with the reason of the signal; ${thrown === undefined ? 'it succeeded' : `it failed with ${inspect(thrown)}`}`

/** Aborts, and expects the calls that have not ended to reject with the reason, at once. */
const endsByItsSignal = async (waiting: readonly UnderWay[], controller: AbortController, when: string): Promise<void> => {
  // A call may need no engine, and be done already.
  const hanging = waiting.filter((call) => !call.hasEnded())
  const reason = abortReason()
  controller.abort(reason)
  for (let turn = 0; turn < turnsToEnd && hanging.some((call) => !call.hasEnded()); turn++) await turns(1)
  for (const call of hanging) {
    const what = `${call.what}, ${when}`
    holds(call.hasEnded(), `${what}: it goes on waiting for the engine`)
    const thrown = await call.end
    holds(thrown === reason, notTheReason(what, thrown))
  }
}

/** Makes a call and aborts its signal in the same turn. Only a call that is done in that turn may succeed. */
const endsInTurn = async (
  within: RuleContext<unknown>['within'],
  what: string,
  begin: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> => {
  const controller = new AbortController()
  const reason = abortReason()
  const call = underWay(what, async () => begin(controller.signal))
  controller.abort(reason)
  await turns(1)
  const isDone = call.hasEnded()
  const thrown = await within(`${what}, ends`, call.end)
  holds(thrown === reason || (thrown === undefined && isDone), notTheReason(what, thrown))
}

const endsBetweenSteps = async <Port>(
  port: Port,
  within: RuleContext<Port>['within'],
  method: string,
  { begin, fill }: PortIteration<Port>,
): Promise<void> => {
  await fill(port)
  const first = async (signal: AbortSignal): Promise<AsyncIterator<unknown>> => {
    const steps = begin(port, signal)[Symbol.asyncIterator]()
    const step = await within(`the first step of ${method} ends`, steps.next())
    holds(step.done !== true, `${method}: it ended before its first entry, although there are two`)
    return steps
  }
  const controller = new AbortController()
  const reason = abortReason()
  const steps = await first(controller.signal)
  controller.abort(reason)
  const what = `${method}, aborted between two steps`
  const thrown = await within(`${what}, ends`, outcomeOf(steps.next()))
  holds(thrown === reason, notTheReason(what, thrown))
  holds((await within(`${what}, stays ended`, steps.next())).done === true, `${what}: it went on with another step`)
  const later = new AbortController()
  const others = await first(later.signal)
  const step = underWay(`${method}, aborted in the turn of its second step`, () => others.next())
  later.abort(reason)
  await turns(1)
  const isDone = step.hasEnded()
  const failure = await within(`${step.what}, ends`, step.end)
  holds(failure === reason || (failure === undefined && isDone), notTheReason(step.what, failure))
}

/** Begins every call, and the second step of every iteration. */
const beginAll = async <Port>(port: Port, calls: readonly PortCall<Port>[]): Promise<readonly UnderWay[]> => {
  const iterations = calls.flatMap(({ method, iteration }) => (iteration === undefined ? [] : [{ method, ...iteration }]))
  const begun = []
  for (const { method, begin, fill } of iterations) {
    await fill(port)
    const steps = begin(port)[Symbol.asyncIterator]()
    await steps.next()
    begun.push({ what: `the second step of ${method}`, steps })
  }
  return [
    ...calls.map(({ method, call }) => underWay(method, async () => call(port))),
    ...begun.map(({ what, steps }) => underWay(what, () => steps.next())),
  ]
}

const expectMisconfigured = (error: unknown, password: string, what: string): void => {
  failedWith(error, 'MISCONFIGURED', what)
  if (!hasCode(error, 'MISCONFIGURED')) return
  holds(error.message.trim() !== '', `${what}: its error has no message`)
  const isInMessage = error.message.includes(password)
  const where = isInMessage ? 'in its message' : 'where a log looks: in its cause, say, to which a driver adds the request or the URL'
  holds(!inspect(error, { depth: 6 }).includes(password), `${what}: its error shows the password ${where}`)
}
