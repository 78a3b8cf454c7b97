import { setTimeout as sleep } from 'node:timers/promises'
import type { EventStore } from '@taskledger/core/ports'
import { TaskledgerError, VersionConflict } from '@taskledger/core/ports'
import { eventStoreContract } from '@taskledger/test-kit'
import type { Deviations } from './networked-store.ts'
import { LostAnswer, networkedSubject } from './networked-store.ts'
import type { Mutant } from './run-mutant.ts'

const mutant = (name: string, fails: readonly string[], deviations: Deviations = {}): Mutant<EventStore> => ({
  name,
  fails,
  contract: eventStoreContract({ name: 'mutant', open: async () => networkedSubject(deviations), timing: { deadlineMs: 5_000 } }),
})

/** Across a network that suffers. */
export const mutantsInTrouble: readonly Mutant<EventStore>[] = [
  mutant('is whole, across a network', []),
  mutant('says of a lost answer that nothing happened', ['ES-3.2', 'ES-3.3'], {
    lost: (error) => new TaskledgerError('UNAVAILABLE', 'no answer', { cause: error }),
  }),
  mutant('takes its own event for that of another after a lost answer', ['ES-3.2', 'ES-3.3'], {
    lost: (error, taskId, version) =>
      error instanceof LostAnswer
        ? new VersionConflict(taskId, version, version + 1)
        : new TaskledgerError('UNAVAILABLE', 'no connection', { cause: error }),
  }),
  mutant('writes the events of an append in one request each', ['ES-3.3', 'ES-3.4'], {
    async append(engine, taskId, version, events) {
      for (const [index, event] of events.entries()) await engine.ask(() => engine.write(taskId, version + index, [event]))
    },
  }),
  mutant('acknowledges before anything is on disk', ['ES-3.5'], {
    append: (engine, taskId, version, events) =>
      engine.ask(() => {
        const before = engine.disk.get(taskId)
        engine.write(taskId, version, events)
        if (before === undefined) engine.disk.delete(taskId)
        else engine.disk.set(taskId, before)
      }),
  }),
  mutant('reads the last row apart from those before it', ['ES-3.4'], {
    async read(engine, taskId) {
      const first = await engine.ask(() => engine.rows.get(taskId) ?? [])
      await sleep(2)
      const last = (await engine.ask(() => engine.rows.get(taskId) ?? [])).slice(-1)
      return [...first.slice(0, -1), ...last]
    },
  }),
]
