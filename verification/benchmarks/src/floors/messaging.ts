import { perSecond } from '../measure/pace.ts'
import { confirmed, declareQueue, listen, openLink } from './bare-link.ts'

const body = Buffer.from(JSON.stringify({ v: 1, rest: 'x'.repeat(420) }))

/** Publishes, confirms, consumes and acknowledges on a quorum queue, `atOnce` messages at a time. Gives messages per second. */
export const queueRate = async (url: string, name: string, atOnce: number, forMs: number): Promise<number> => {
  const { publisher, consumer, close } = await openLink(url)
  try {
    await declareQueue(consumer, name)
    await consumer.prefetch(atOnce)
    const waiting = new Map<unknown, () => void>()
    await consumer.consume(name, (message) => {
      if (message === null) return
      consumer.ack(message)
      waiting.get(message.properties.messageId)?.()
    })
    let next = 0
    const one = async (): Promise<number> => {
      const messageId = String(next++)
      const taken = new Promise<void>((resolve) => waiting.set(messageId, resolve))
      await Promise.all([confirmed(publisher, '', name, body, { persistent: true, mandatory: true, messageId }), taken])
      waiting.delete(messageId)
      return 1
    }
    await perSecond(atOnce, forMs / 3, one)
    return await perSecond(atOnce, forMs, one)
  } finally {
    await consumer.deleteQueue(name)
    await close()
  }
}

/** A fan-out to three exclusive queues, until all three have consumed each message. Gives messages per second, each counted once. */
export const fanOutRate = async (url: string, name: string, atOnce: number, forMs: number): Promise<number> => {
  const links = await Promise.all([openLink(url), openLink(url), openLink(url)])
  const { publisher } = links[0]
  try {
    const waiting = new Map<unknown, { left: number; readonly done: () => void }>()
    for (const { consumer } of links)
      await listen(consumer, name, (_content, messageId) => {
        const entry = waiting.get(messageId)
        if (entry !== undefined && --entry.left === 0) entry.done()
      })
    let next = 0
    const one = async (): Promise<number> => {
      const messageId = String(next++)
      const taken = new Promise<void>((resolve) => waiting.set(messageId, { left: links.length, done: resolve }))
      await Promise.all([confirmed(publisher, name, '', body, { messageId }), taken])
      waiting.delete(messageId)
      return 1
    }
    await perSecond(atOnce, forMs / 3, one)
    return await perSecond(atOnce, forMs, one)
  } finally {
    for (const { close } of links) await close()
  }
}
