import type { WorkQueue } from '@taskledger/core/ports'
import { waitUntil } from '../../framework/deadlines.ts'
import type { Probe } from '../fault-traits.ts'
import type { PortCall } from '../port-call.ts'
import { iterationCall } from '../port-call.ts'
import { messageWith } from './sample-messages.ts'
import { acceptAtOnce, idsOf, Stage } from './stage.ts'

const message = messageWith(() => 0.5)

/** How long two messages may take to become dead letters, in milliseconds. */
const fillMs = 10_000

/** Makes two dead letters. */
const fillDeadLetters = async (port: WorkQueue, queue: string): Promise<void> => {
  const consumer = await port.consume(queue, (delivery) => delivery.reject('rejected by the rule'), { slots: 1, mode: 'parallel' })
  for (let count = 0; count < 2; count++) await port.send(queue, message)
  await waitUntil(fillMs, 'two messages are dead letters, before the iteration begins', async () => {
    const ids: string[] = []
    for await (const { id } of port.deadLetters(queue)) ids.push(id)
    return ids.length >= 2
  })
  await consumer.close()
}

/** The methods of the port, as the rules that all ports share call them. */
export const queueCalls: readonly PortCall<WorkQueue>[] = [
  { method: 'send', call: (port, signal) => port.send('default', message, signal && { signal }) },
  { method: 'depth', call: (port, signal) => port.depth('default', signal && { signal }) },
  iterationCall('deadLetters', {
    begin: (port, signal) => port.deadLetters('dying', signal && { signal }),
    fill: (port) => fillDeadLetters(port, 'dying'),
  }),
  {
    method: 'consume',
    call: async (port, signal) => {
      const consumer = await port.consume('idle', acceptAtOnce, { slots: 1, mode: 'parallel', ...(signal && { signal }) })
      await consumer.close()
    },
  },
]

/** After each fault every consumer that lived before it gets messages again, parallel and serial, on each client. */
export const deliversAgain: Probe<WorkQueue> = async (context, clients) => {
  const stage = new Stage(context)
  const workers = await Promise.all(
    clients.flatMap((client, index) =>
      (['parallel', 'serial'] as const).map(async (mode) => {
        const queue = `${mode} of client ${index + 1}`
        return { queue, client, worker: await stage.work(client, { queue, mode, handle: acceptAtOnce }) }
      }),
    ),
  )
  return async (step) => {
    for (const { queue, client, worker } of workers) {
      const { taskId } = await stage.sendUntilTaken(step, client, stage.message(), queue)
      await context.waitUntil(`the consumer "${queue}" gets a message, ${step}`, () => idsOf(worker.runs).includes(taskId))
    }
  }
}
