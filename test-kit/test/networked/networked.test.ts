import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventBus, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import { TaskledgerError } from '@taskledger/core/ports'
import type { Contract, Harness, Subject } from '@taskledger/test-kit'
import { eventBusContract, runContract, tcpProxy, workQueueContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { describeMutants } from '../mutants/run-mutant.ts'
import { LineClient } from './line-client.ts'
import { LineEngine } from './line-engine.ts'

/** A harness as the author of an adapter writes it, with every hook that there is. */
const harnessOf = <Port extends WorkQueue | EventBus>(Client: typeof LineClient): Harness<Port> => ({
  name: 'line engine',
  timing: { deadlineMs: 5_000, settleMs: 30 },
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

const resultsOf = async <Port>(contract: Contract<Port>): Promise<readonly string[]> => {
  const { results } = await runContract(contract)
  return results.filter(({ status }) => status !== 'passed').map(({ status, message }) => `${status}: ${message}`)
}

describe('an adapter whose engine is behind a network', { timeout: 300_000 }, () => {
  it('passes every rule of the work queue, and all can be shown', async () => {
    expect(await resultsOf(workQueueContract(harnessOf<WorkQueue>(LineClient)))).toEqual([])
  })

  it('passes every rule of the event bus, and all can be shown', async () => {
    expect(await resultsOf(eventBusContract(harnessOf<EventBus>(LineClient)))).toEqual([])
  })
})

const workQueueMutant = (name: string, fails: readonly string[], Client: typeof LineClient, only = ['WQ-1.1', 'WQ-1.3', 'WQ-6']) => ({
  name,
  fails,
  contract: workQueueContract(harnessOf<WorkQueue>(Client)),
  only,
})

/** Without those in which such a mutant may be lucky. */
const certain = ['WQ-1.1', 'WQ-6.3', 'WQ-6.4', 'WQ-6.5']

const eventBusMutant = (name: string, fails: readonly string[], Client: typeof LineClient) => ({
  name,
  fails,
  contract: eventBusContract(harnessOf<EventBus>(Client)),
  only: ['EB-1.1', 'EB-2.1'],
})

class Late extends LineClient {
  override async resume(socket: Socket): Promise<void> {
    this.tellGap()
    if (!ports.has(this.address)) ports.set(this.address, this)
    if (ports.get(this.address) === this) await sleep(700)
    this.gapListeners = []
    await super.resume(socket)
  }
}

/** The first client of each address. */
const ports = new WeakMap<object, LineClient>()

// They wait for what never happens, and can do it together.
describe.concurrent('mutants', () => {
  describeMutants('networked work queue', [
    workQueueMutant(
      'never connects again',
      ['WQ-1.3', 'WQ-6.1', 'WQ-6.2', 'WQ-6.4'],
      class extends LineClient {
        override lost(): void {}
      },
    ),
    workQueueMutant(
      'connects again and does not consume again',
      ['WQ-1.3', 'WQ-6.1', 'WQ-6.4'],
      class extends LineClient {
        override async resume(socket: Socket): Promise<void> {
          const { consumeOn } = this
          this.consumeOn = () => {}
          await super.resume(socket)
          this.consumeOn = consumeOn
        }
      },
    ),
    workQueueMutant(
      'gives new connections slots in which old handlers run',
      ['WQ-6.1', 'WQ-6.4'],
      class extends LineClient {
        override freeSlots(consumer: { readonly slots: number }): number {
          return consumer.slots
        }

        override isFull(): boolean {
          return false
        }
      },
    ),
    workQueueMutant(
      'does not wait for confirmations',
      ['WQ-6.3', 'WQ-6.4', 'WQ-6.5'],
      class extends LineClient {
        override async send(queue: string, message: WorkMessage): Promise<void> {
          void super.send(queue, message).catch(() => {})
        }
      },
      certain,
    ),
    workQueueMutant(
      'waits for confirmations for ever',
      ['WQ-6.3', 'WQ-6.4', 'WQ-6.5'],
      class extends LineClient {
        override readonly patienceMs = 10_000_000
      },
    ),
    workQueueMutant(
      'takes what is not confirmed for not sent',
      ['WQ-6.2'],
      class extends LineClient {
        override unanswered(): Error {
          return new TaskledgerError('UNAVAILABLE', 'not sent')
        }
      },
    ),
    workQueueMutant(
      'takes what is not confirmed for sent',
      ['WQ-6.3', 'WQ-6.4', 'WQ-6.5'],
      class extends LineClient {
        override async send(...given: Parameters<LineClient['send']>): Promise<void> {
          await super.send(...given).catch(() => {})
        }
      },
      certain,
    ),
  ])

  describeMutants('networked event bus', [
    eventBusMutant(
      'never connects again',
      ['EB-2.1'],
      class extends LineClient {
        override lost(): void {}
      },
    ),
    eventBusMutant('tells of a gap before it listens again', ['EB-2.1'], Late),
  ])
})
