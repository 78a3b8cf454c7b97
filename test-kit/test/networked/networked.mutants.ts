import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventBus, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import { TaskledgerError } from '@taskledger/core/ports'
import { eventBusContract, workQueueContract } from '@taskledger/test-kit'
import type { Mutant } from '../mutants/run-mutant.ts'
import { LineClient } from './line-client.ts'
import { lineHarness } from './line.harness.ts'

const deadlineMs = 3_000

const workQueueMutant = (name: string, fails: readonly string[], Client: typeof LineClient, only = ['WQ-1.1', 'WQ-1.3', 'WQ-6']) => ({
  name,
  fails,
  contract: workQueueContract(lineHarness<WorkQueue>(Client, deadlineMs)),
  only,
})

/** Without those in which such a mutant may be lucky. */
const certain = ['WQ-1.1', 'WQ-6.3', 'WQ-6.4', 'WQ-6.5']

const eventBusMutant = (name: string, fails: readonly string[], Client: typeof LineClient) => ({
  name,
  fails,
  contract: eventBusContract(lineHarness<EventBus>(Client, deadlineMs)),
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

/** Adapters that bear no trouble of the network. */
export const networkedQueueMutants: readonly Mutant<WorkQueue>[] = [
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
]

export const networkedBusMutants: readonly Mutant<EventBus>[] = [
  eventBusMutant(
    'never connects again',
    ['EB-2.1'],
    class extends LineClient {
      override lost(): void {}
    },
  ),
  eventBusMutant('tells of a gap before it listens again', ['EB-2.1'], Late),
]
