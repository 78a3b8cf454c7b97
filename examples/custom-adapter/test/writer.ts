// A process that appends as fast as it can, and reports each acknowledged append to its parent.
import { once } from 'node:events'
import type { TaskId } from '@taskledger/core/ports'
import { hasCode } from '@taskledger/core/ports'
import { fileEventStore } from '@taskledger/example-custom-adapter'
import { created, released, started } from './samples.ts'

const [folder = '', name = '', taskIds = '', events = '', payloadLength = ''] = process.argv.slice(2)
const store = await fileEventStore({ folder })

const say = (words: string): Promise<void> =>
  new Promise((resolve, reject) => process.send?.(words, (error: Error | null) => (error === null ? resolve() : reject(error))))

const write = async (taskId: TaskId): Promise<void> => {
  let version = (await store.read(taskId)).length
  while (version < Number(events)) {
    const id = `${name}/${taskId}/${version + 1}`
    const batch =
      version === 0
        ? [created(taskId, id, 'x'.repeat(Number(payloadLength)))]
        : [started(taskId, version + 1, id), released(taskId, version + 2, `${id}b`)]
    try {
      await store.append(taskId, version, batch)
      version += batch.length
      for (const { eventId } of batch) await say(eventId)
    } catch (error) {
      if (!hasCode(error, 'VERSION_CONFLICT')) throw error
      version = error.actualVersion
    }
  }
}

const go = once(process, 'message')
await say('ready')
await go
for (const taskId of taskIds.split(',')) await write(taskId as TaskId)
await store.close()
process.disconnect()
