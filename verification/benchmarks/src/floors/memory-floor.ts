import type { BurstCommands } from '../nodes/commands.ts'
import { burst } from '../nodes/burst.ts'

/**
 * The same tasks in memory without the framework: for each, the Map operations of its life (three appends, three rows, one message), and a
 * promise for each step that the framework awaits.
 */
export const memoryFloor = (): { commands: Pick<BurstCommands, 'burst'>; close: () => Promise<void> } => ({
  commands: {
    burst(given) {
      const histories = new Map<string, object[]>()
      const rows = new Map<string, object>()
      let next = 0
      const step = async (id: string, type: string): Promise<void> => {
        await Promise.resolve()
        const history = histories.get(id) ?? []
        history.push({ id, type, version: history.length + 1 })
        histories.set(id, history)
        await Promise.resolve()
        rows.set(id, { id, status: type })
      }
      return burst(given, async () => {
        const id = `task-${next++}`
        await step(id, 'created')
        return async () => {
          await Promise.resolve()
          await step(id, 'started')
          await step(id, 'completed')
          return histories.get(id)
        }
      })
    },
  },
  close: async () => {},
})
