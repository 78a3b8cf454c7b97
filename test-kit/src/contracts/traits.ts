import assert from 'node:assert/strict'
import { codeOf } from '@taskledger/core/ports'
import type { Rule } from '../framework/rule.ts'
import { outcomeOf } from './outcome.ts'

interface Closable {
  close(): Promise<void>
}

/** How a rule calls a method of a port: `call` resolves to the result, or begins to iterate. */
export interface PortCall<Port> {
  readonly method: string
  call(port: Port, signal?: AbortSignal): Promise<unknown>
}

/**
 * The rules of every port: after close each method fails with CLOSED, an aborted signal ends each method, and a port can be closed twice. Their
 * ids end in -T.1 to -T.3.
 */
export const traitRules = <Port extends Closable>(prefix: string, calls: readonly PortCall<Port>[]): readonly Rule<Port>[] => [
  {
    id: `${prefix}-T.1`,
    kind: 'plain',
    title: 'after close, every method fails with CLOSED',
    hint: 'check in every method, before anything else, whether the port is closed',
    run: async ({ peer, within }) => {
      const port = await peer()
      await port.close()
      for (const { method, call } of calls) {
        const thrown = await within(`${method} ended after close`, outcomeOf((async () => call(port))()))
        assert.equal(codeOf(thrown), 'CLOSED', `${method} after close: ${String(thrown)}`)
      }
    },
  },
  {
    id: `${prefix}-T.2`,
    kind: 'plain',
    title: 'with an aborted signal, every method rejects at once with the reason of the signal',
    hint: 'call signal.throwIfAborted() before the first step, and race the later steps against the signal',
    run: async ({ port, within }) => {
      const reason = new Error('aborted by the rule')
      for (const { method, call } of calls) {
        const thrown = await within(
          `${method} ended with an aborted signal`,
          outcomeOf((async () => call(port, AbortSignal.abort(reason)))()),
        )
        assert.equal(thrown, reason, `${method} with an aborted signal`)
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
      await within('two closes at once ended', Promise.all([port.close(), port.close()]))
      await within('a third close ended', port.close())
    },
  },
]
