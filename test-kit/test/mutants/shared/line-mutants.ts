import { hasCode, unavailable } from '@taskledger/core/ports'
import type { Connection } from './network.ts'
import { Line, never } from './network.ts'

/** What a line gets wrong, and the shared rules that fail on it, without their prefix. */
export interface LineMutant {
  readonly name: string
  readonly fails: readonly string[]
  readonly Line: typeof Line
}

/** A correct line, and one mutant for each protection. Every port is tried on them. */
export const lineMutants: readonly LineMutant[] = [
  { name: 'is right behind a network: the base of the mutants', fails: [], Line },
  {
    name: 'gives up reconnecting after three tries',
    fails: ['F.2'],
    Line: class extends Line {
      override reconnect(): void {
        if (this.tries < 3) super.reconnect()
      }
    },
  },
  {
    name: 'reconnects once, and never again',
    fails: ['F.1', 'F.2', 'F.3', 'F.4', 'F.5'],
    Line: class extends Line {
      #times = 0
      override giveUp(connection: Connection): void {
        if (this.connection !== connection) return
        if (this.#times++ < 1) super.giveUp(connection)
        else this.connection = undefined
      }
    },
  },
  {
    name: 'never gives up a silent connection',
    fails: ['F.4'],
    Line: class extends Line {
      override giveUp(connection: Connection): void {
        if (!connection.isSilent) super.giveUp(connection)
      }
    },
  },
  {
    name: 'waits for an answer without a bound',
    fails: ['F.3', 'F.4', 'F.5'],
    Line: class extends Line {
      override readonly patienceMs: number = Infinity
    },
  },
  {
    name: 'gives a result of its own when no answer comes',
    fails: ['F.2', 'F.3', 'F.5'],
    Line: class extends Line {
      override async ask<Answer>(request: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
        try {
          return await super.ask(request, signal)
        } catch (error) {
          if (!hasCode(error, 'UNAVAILABLE') && !hasCode(error, 'OUTCOME_UNKNOWN')) throw error
          // As a write resolves, and as an iteration ends.
          return { done: true, value: undefined } as Answer
        }
      }
    },
  },
  {
    name: 'checks the signal only at the start',
    fails: ['T.4', 'T.5'],
    Line: class extends Line {
      override within<Value>(promise: Promise<Value>): Promise<Value> {
        return super.within(promise, undefined)
      }
    },
  },
  {
    name: 'begins to listen to the signal a turn late',
    fails: ['T.4', 'T.5'],
    Line: class extends Line {
      override async within<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
        promise.catch(() => {})
        await new Promise((resolve) => setImmediate(resolve))
        // Nobody tells a listener that the signal was aborted before.
        return super.within(promise, signal?.aborted === true ? undefined : signal)
      }
    },
  },
  {
    name: 'leaves a listener on the signal with each call',
    fails: ['T.9'],
    Line: class extends Line {
      override within<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
        signal?.addEventListener('abort', () => {}, { once: true })
        return super.within(promise, signal)
      }
    },
  },
  {
    name: 'looks at the signal when the answer comes',
    fails: ['T.4'],
    Line: class extends Line {
      override readonly patienceMs: number = 500
      override async within<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
        try {
          return await super.within(promise, undefined)
        } finally {
          signal?.throwIfAborted()
        }
      }
    },
  },
  {
    name: 'reports a lost connection without a code',
    fails: ['F.1', 'F.2', 'F.3', 'F.4', 'F.5', 'F.6'],
    Line: class extends Line {
      override lost(): Error {
        return new Error('socket hang up')
      }
    },
  },
  {
    name: 'forgets the calls under way when it is closed',
    fails: ['T.7', 'T.8'],
    Line: class extends Line {
      override async close(): Promise<void> {
        this.isClosed = true
        this.connection = undefined
        this.network.lines.delete(this)
      }
      override within<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
        const ended = Promise.allSettled([promise]).then(() => (this.isClosed ? never : promise))
        return super.within(ended, signal)
      }
    },
  },
  {
    name: 'reports a call under way as not done when it is closed',
    fails: ['T.7'],
    Line: class extends Line {
      override async within<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
        try {
          return await super.within(promise, signal)
        } catch (error) {
          throw this.isClosed ? unavailable('the connection was closed') : error
        }
      }
    },
  },
  {
    name: 'waits in close for the answers of a silent engine, without a bound',
    fails: ['T.8'],
    Line: class extends Line {
      override async close(): Promise<void> {
        await this.network.stalled
        await super.close()
      }
    },
  },
]
