import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, unchecked } from '@taskledger/core'
import type { TaskDefinition } from '@taskledger/core'
import type { Random } from '../plan/random.ts'
import type { RunLine } from '../evidence/lines.ts'

/** The payload of a task. */
export interface Payload {
  /** How long one run takes, in milliseconds. */
  readonly bodyMs: number
  /** How many attempts fail before one succeeds. */
  readonly failures: number
}

export type Kind = 'plain' | 'reporting' | 'failing' | 'serial'

const kinds: readonly Kind[] = ['plain', 'reporting', 'failing', 'serial']

/** How often a body reports progress, in milliseconds. */
const reportMs = 400

export type ChaosTask = TaskDefinition<Payload>

/** The tasks of a process. Their bodies record when they start and stop. */
export const tasksOf = (process: string, note: (line: RunLine) => void): ReadonlyMap<Kind, ChaosTask> =>
  new Map(kinds.map((kind) => [kind, taskOf(kind, process, note)]))

const taskOf = (kind: Kind, process: string, note: (line: RunLine) => void): ChaosTask =>
  defineTask({
    type: kind,
    payload: unchecked<Payload>(),
    queue: kind === 'serial' ? 'serial' : 'default',
    // A task must not die only because many processes were killed.
    retry: { maxAttempts: kind === 'failing' ? 5 : 1, maxCrashes: 50, backoff: { initialMs: 300, maxMs: 2_000 } },
    async run({ taskId, attempt, signal, payload, progress }) {
      const run = { taskId, attempt, process }
      note({ type: 'started', ...run, at: Date.now() })
      const aborted = (): void => note({ type: 'aborted', ...run, at: Date.now(), reason: String(signal.reason) })
      if (signal.aborted) aborted()
      else signal.addEventListener('abort', aborted, { once: true })
      let how: 'returned' | 'threw' | 'aborted' = 'returned'
      try {
        for (let left = payload.bodyMs; left > 0; left -= reportMs) {
          if (kind === 'reporting') progress({ left })
          await sleep(Math.min(left, reportMs), undefined, { signal })
        }
        signal.throwIfAborted()
        if (attempt <= payload.failures) throw new Error(`attempt ${attempt} fails on purpose`)
        return { attempt, process }
      } catch (error) {
        how = signal.aborted ? 'aborted' : 'threw'
        throw error
      } finally {
        note({ type: 'stopped', ...run, at: Date.now(), how })
      }
    },
  })

/** A random task: most are short, a few longer than a lease. */
export const randomTask = (random: Random, maxBodyMs: number): { readonly kind: Kind; readonly payload: Payload } => {
  const kind = random.weighted<Kind>({ plain: 70, reporting: 12, failing: 12, serial: 6 })
  const size = random.weighted({ short: 60, middle: 32, long: kind === 'serial' ? 0 : 8 })
  const maxMs = { short: 150, middle: maxBodyMs / 8, long: maxBodyMs }[size]
  return {
    kind,
    payload: {
      bodyMs: random.between(0, kind === 'serial' ? Math.min(maxMs, 500) : maxMs),
      failures: kind === 'failing' ? random.between(0, 2) : 0,
    },
  }
}
