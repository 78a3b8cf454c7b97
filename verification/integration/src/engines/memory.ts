import type { TaskMessaging, TaskStorage, TaskId } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Side } from './engine.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const nothing = async (): Promise<void> => {}

export const memoryStorageSide: Side<TaskStorage> = {
  name: 'memory',
  start: nothing,
  open: () => {
    const memory = createMemory({ logger: silentLogger })
    return {
      client: async () => memory.storage(),
      inject: async (bytes, _kind, taskId) => memory.faults.injectEvent(taskId as TaskId, text(bytes)),
      inspect: () => memory.inspect(),
      dispose: nothing,
    }
  },
  stop: nothing,
}

export const memoryMessagingSide: Side<TaskMessaging> = {
  name: 'memory',
  start: nothing,
  open: () => {
    const memory = createMemory({ logger: silentLogger })
    return {
      client: async () => memory.messaging(),
      inject: async (bytes, kind, queue) => {
        if (kind === 'bus') memory.faults.injectNotice(text(bytes))
        else memory.faults.injectMessage(queue, text(bytes))
      },
      inspect: () => memory.inspect(),
      dispose: nothing,
    }
  },
  stop: nothing,
}
