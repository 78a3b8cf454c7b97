import type { TaskManager, TaskManagerOptions } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import { createMemory } from '@taskledger/memory'

/** A front-end and two workers in one process, on one memory. */
export interface Cluster {
  readonly frontEnd: TaskManager
  readonly workers: readonly TaskManager[]
  close(): Promise<void>
}

export const openCluster = async (tasks: TaskManagerOptions['tasks'], slots: number): Promise<Cluster> => {
  const memory = createMemory()
  const open = (name: string, worker: TaskManagerOptions['worker'] & (object | false)): Promise<TaskManager> =>
    createTaskManager({ tasks, storage: memory.storage(), messaging: memory.messaging(), name, worker })
  const frontEnd = await open('front-end', false)
  const workers = [await open('worker-1', { slots }), await open('worker-2', { slots })]
  return {
    frontEnd,
    workers,
    async close() {
      for (const manager of [...workers, frontEnd]) await manager.close()
    },
  }
}
