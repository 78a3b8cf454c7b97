import type { EventBus, WorkQueue } from '@taskledger/core/ports'
import type { Harness, Subject } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'
import type { LineClient } from './line-client.ts'
import { LineEngine } from './line-engine.ts'

/** A harness as the author of an adapter writes it, with every hook that there is. */
export const lineHarness = <Port extends WorkQueue | EventBus>(Client: typeof LineClient, deadlineMs: number): Harness<Port> => ({
  name: 'line engine',
  timing: { deadlineMs },
  open: async (): Promise<Subject<Port>> => {
    const engine = new LineEngine()
    await engine.start()
    const proxy = await tcpProxy({ host: '127.0.0.1', port: engine.port })
    const clients = new Map<Port, LineClient>()
    const openClient = async (): Promise<Port> => {
      const client = await new Client(proxy).open()
      clients.set(client as unknown as Port, client)
      return client as unknown as Port
    }
    const port = await openClient()
    return {
      port,
      peer: openClient,
      faults: { ...proxy.faults, restart: () => engine.restart() },
      inject: async (bytes, queue) => {
        const text = new TextDecoder().decode(bytes)
        if (queue === '') engine.memory.faults.injectNotice(text)
        else engine.memory.faults.injectMessage(queue, text)
      },
      deadLetters: async (queue) => engine.memory.deadLetters(queue).map(({ text, why }) => `${text} (${why})`),
      kill: async (client) => clients.get(client)?.kill(),
      inspect: () => engine.memory.inspect(),
      async [Symbol.asyncDispose]() {
        await port.close()
        await proxy[Symbol.asyncDispose]()
        await engine.stop()
      },
    }
  },
})
