import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, unchecked } from '@taskledger/core'
import type { TaskDefinition } from '@taskledger/core'
import type { Chance } from './chance.ts'
import type { RunLine } from './evidence.ts'

/** What a task is given. */
export interface Given {
  /** How long one run takes, in milliseconds. */
  readonly bodyMs: number
  /** How many attempts fail before one succeeds. */
  readonly failures: number
}

export type Kind = 'plain' | 'reporting' | 'failing' | 'serial'

const kinds: readonly Kind[] = ['plain', 'reporting', 'failing', 'serial']

/** How often a body reports progress, in milliseconds. */
const reportMs = 400

export type ChaosTask = TaskDefinition<Given>

/** The tasks of a process, whose bodies note when they begin and end. */
export const tasksOf = (process: string, note: (line: RunLine) => void): ReadonlyMap<Kind, ChaosTask> =>
  new Map(kinds.map((kind) => [kind, taskOf(kind, process, note)]))

const taskOf = (kind: Kind, process: string, note: (line: RunLine) => void): ChaosTask =>
  defineTask({
    type: kind,
    payload: unchecked<Given>(),
    queue: kind === 'serial' ? 'serial' : 'default',
    // Nobody is to give up only because many processes were killed.
    retry: { maxAttempts: kind === 'failing' ? 5 : 1, maxCrashes: 50, backoff: { initialMs: 300, maxMs: 2_000 } },
    async run({ taskId, attempt, signal, payload, progress }) {
      const run = { taskId, attempt, process }
      note({ type: 'started', ...run, at: Date.now() })
      const told = (): void => note({ type: 'told', ...run, at: Date.now(), reason: String(signal.reason) })
      if (signal.aborted) told()
      else signal.addEventListener('abort', told, { once: true })
      let how: 'returned' | 'threw' | 'aborted' = 'returned'
      try {
        for (let left = payload.bodyMs; left > 0; left -= reportMs) {
          if (kind === 'reporting') progress({ left })
          await sleep(Math.min(left, reportMs), undefined, { signal })
        }
        signal.throwIfAborted()
        if (attempt <= payload.failures) throw new Error(`attempt ${attempt} fails, as it was told to`)
        return { attempt, process }
      } catch (error) {
        how = signal.aborted ? 'aborted' : 'threw'
        throw error
      } finally {
        note({ type: 'stopped', ...run, at: Date.now(), how })
      }
    },
  })

/** A task by chance: most are short, a few longer than a lease. */
export const taskByChance = (chance: Chance, longestMs: number): { readonly kind: Kind; readonly given: Given } => {
  const kind = chance.weighted<Kind>({ plain: 70, reporting: 12, failing: 12, serial: 6 })
  const size = chance.weighted({ short: 60, middle: 32, long: kind === 'serial' ? 0 : 8 })
  const mostMs = { short: 150, middle: longestMs / 8, long: longestMs }[size]
  return {
    kind,
    given: {
      bodyMs: chance.between(0, kind === 'serial' ? Math.min(mostMs, 500) : mostMs),
      failures: kind === 'failing' ? chance.between(0, 2) : 0,
    },
  }
}
