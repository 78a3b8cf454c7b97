import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { decodeMessage, decodeNotice, encodeMessage, encodeNotice } from '@taskledger/core/codec'
import type { Consumer, Delivery } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import type { Frame } from './lines.ts'
import { onJson, writeJson } from './lines.ts'

/** A broker for tests of the kit: queues and notices in memory, behind a socket. A client whose connection breaks has died. */
export class LineEngine {
  readonly memory: Memory = createMemory({ logger: silentLogger })
  readonly #sockets = new Set<Socket>()
  #server: Server = createServer()
  port = 0

  async start(): Promise<void> {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    const stopped = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await stopped
  }

  /** The data stay. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  #serve(socket: Socket): void {
    const client = this.memory.messaging()
    const consumers = new Map<number, Consumer>()
    const deliveries = new Map<number, { readonly delivery: Delivery; readonly end: () => void }>()
    let lastDelivery = 0
    this.#sockets.add(socket)
    client.bus.subscribe((notice) => writeJson(socket, { type: 'notice', text: encodeNotice(notice) }))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.memory.faults.kill(client)
      for (const { end } of deliveries.values()) end()
    })

    const deliver =
      (consumer: number) =>
      (delivery: Delivery): Promise<void> =>
        new Promise((end) => {
          deliveries.set(++lastDelivery, { delivery, end })
          const { message, redelivered, releases } = delivery
          writeJson(socket, { type: 'deliver', consumer, delivery: lastDelivery, text: encodeMessage(message), redelivered, releases })
        })

    const settle = ({ delivery, how, why = '', delayMs = 0 }: Frame): Promise<void> | undefined => {
      const known = deliveries.get(delivery ?? 0)?.delivery
      if (how === 'accept') return known?.accept()
      return how === 'release' ? known?.release({ delayMs }) : known?.reject(why)
    }

    const obey = async (frame: Frame): Promise<void> => {
      const { type, queue = '', text = '', texts = [], consumer = 0, slots = 0, mode = 'parallel' } = frame
      if (type === 'send') await client.queue.send(queue, decodeMessage(text))
      if (type === 'publish') await client.bus.publish(texts.map(decodeNotice))
      if (type === 'consume') consumers.set(consumer, await client.queue.consume(queue, deliver(consumer), { slots, mode }))
      if (type === 'resize') consumers.get(consumer)?.resize(slots)
      if (type === 'close') await consumers.get(consumer)?.close()
      if (type === 'settle') await settle(frame)
      if (type === 'end') deliveries.get(frame.delivery ?? 0)?.end()
      const depth = type === 'depth' ? await client.queue.depth(queue) : 0
      if (frame.id !== undefined) writeJson(socket, { type: 'reply', id: frame.id, depth })
    }
    // A connection that breaks in the middle of a call is closed: nobody waits for an answer.
    onJson(socket, (frame) => void obey(frame).catch(() => socket.destroy()))
  }
}
