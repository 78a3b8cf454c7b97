import type { EventBus } from '@taskledger/core/ports'
import type { Faults } from '@taskledger/test-kit'
import { eventBusContract } from '@taskledger/test-kit'
import type { Mutant } from '../run-mutant.ts'
import type { Line } from '../shared/network.ts'
import { Network } from '../shared/network.ts'
import { DistantBus, Exchange } from './distant-bus.ts'

type Broken = new (exchange: Exchange, network: Network, LineOf?: typeof Line) => DistantBus

/** The faults of several networks as those of one. */
const together = (networks: readonly Network[]): Required<Faults> => {
  const all = async (fault: 'cut' | 'silence' | 'restart'): Promise<void> => {
    await Promise.all(networks.map(({ faults }) => faults[fault]()))
  }
  const lasting = (fault: 'refuse' | 'stall' | 'loseReplies') => async (): Promise<() => Promise<void>> => {
    const heals = await Promise.all(networks.map(({ faults }) => faults[fault]()))
    return async () => void (await Promise.all(heals.map((heal) => heal())))
  }
  return {
    cut: () => all('cut'),
    silence: () => all('silence'),
    restart: () => all('restart'),
    refuse: lasting('refuse'),
    stall: lasting('stall'),
    loseReplies: lasting('loseReplies'),
  }
}

/** `byChance`: the rules that a mutant may pass or fail. A line that listens may outlast a stall, so EB-F.3 is one of them. */
const mutant = (name: string, fails: readonly string[], Bus: Broken, byChance: readonly string[] = ['EB-F.3']): Mutant<EventBus> => ({
  name,
  fails,
  only: ids.filter((id) => fails.length === 0 || !byChance.includes(id)),
  contract: eventBusContract({
    name: 'mutant',
    timing: { deadlineMs: 2_000 },
    open: async () => {
      const exchange = new Exchange()
      const networks = new Map<EventBus, Network>()
      const client = (): EventBus => {
        const network = new Network()
        const bus = new Bus(exchange, network)
        networks.set(bus, network)
        return bus
      }
      const first = client()
      const faultsNow = (): Required<Faults> => together([...networks.values()])
      return {
        port: first,
        peer: async () => client(),
        faults: {
          cut: () => faultsNow().cut(),
          refuse: () => faultsNow().refuse(),
          stall: () => faultsNow().stall(),
          silence: () => faultsNow().silence(),
          loseReplies: () => faultsNow().loseReplies(),
          restart: () => faultsNow().restart(),
        },
        stallClient: async (bus) => (await networks.get(bus)?.faults.stall()) ?? (async () => {}),
      }
    },
  }),
})

/** The other rules have mutants without a network. */
const ids: readonly string[] = ['EB-2.1', 'EB-2.3', 'EB-F.1', 'EB-F.2', 'EB-F.3', 'EB-F.4', 'EB-F.5', 'EB-F.6']

/** Buses whose engine is behind a network that breaks. */
export const networkMutants: readonly Mutant<EventBus>[] = [
  mutant('is right behind a network: the base of the mutants', [], DistantBus),
  mutant(
    'never gives up a subscriber on a silent connection',
    ['EB-F.4'],
    class extends DistantBus {
      override beat(): void {}
    },
  ),
  mutant(
    'reconnects and does not tell the gap',
    ['EB-2.1', 'EB-2.3', 'EB-F.1', 'EB-F.2', 'EB-F.4', 'EB-F.6'],
    class extends DistantBus {
      override tellGap(): void {}
    },
  ),
  mutant(
    'tells only the first gap',
    ['EB-2.1', 'EB-2.3', 'EB-F.1', 'EB-F.2', 'EB-F.4'],
    class extends DistantBus {
      #isTold = false

      override tellGap(): void {
        if (!this.#isTold) super.tellGap()
        this.#isTold = true
      }
    },
  ),
  mutant(
    'tells the gap before it listens again',
    ['EB-2.1'],
    class extends DistantBus {
      override reconnected(): void {
        this.tellGap()
        this.#listenAfter(this.exchange.published)
      }

      /** Waits until it has missed a notice. */
      #listenAfter(published: number): void {
        if (this.exchange.published > published) this.listen()
        else if (!this.listening.isClosed) setImmediate(() => this.#listenAfter(published))
      }
    },
    // They publish at any time, also in the moment in which this bus hears nothing.
    ['EB-2.3', 'EB-F.1', 'EB-F.2', 'EB-F.3', 'EB-F.4', 'EB-F.5', 'EB-F.6'],
  ),
  mutant(
    'listens twice after it has connected again',
    ['EB-F.1', 'EB-F.2', 'EB-F.4', 'EB-F.5', 'EB-F.6'],
    class extends DistantBus {
      override reconnected(): void {
        super.reconnected()
        const { connection } = this.listening
        const hear = connection && this.exchange.listening.get(connection)
        if (connection !== undefined && hear !== undefined)
          this.exchange.listening.set(connection, (text) => {
            for (const copy of [text, text]) hear(copy)
          })
      }
    },
  ),
  mutant(
    'connects again, and listens no more',
    ['EB-2.1', 'EB-2.3', 'EB-F.1', 'EB-F.2', 'EB-F.4', 'EB-F.5', 'EB-F.6'],
    class extends DistantBus {
      override reconnected(): void {
        this.tellGap()
      }
    },
  ),
  mutant(
    'stops at a gap listener that throws',
    ['EB-2.1', 'EB-2.3', 'EB-F.1', 'EB-F.2', 'EB-F.4', 'EB-F.6'],
    class extends DistantBus {
      override callSafely(call: () => void): void {
        call()
      }

      override tellGap(): void {
        try {
          super.tellGap()
        } catch {
          // The other listeners hear nothing.
        }
      }
    },
  ),
  mutant(
    'goes on calling a gap listener that was removed',
    ['EB-F.1', 'EB-F.2', 'EB-F.4', 'EB-F.5', 'EB-F.6'],
    class extends DistantBus {
      override onGap(listener: () => void): () => void {
        super.onGap(listener)
        return () => {}
      }
    },
  ),
]
