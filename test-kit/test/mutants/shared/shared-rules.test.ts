import type { EventBus, EventStore, NodeRegistry, TaskListing } from '@taskledger/core/ports'
import { misconfigured, silentLogger, unavailable } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Contract, Harness, Subject } from '@taskledger/test-kit'
import { eventBusContract, eventStoreContract, nodeRegistryContract, taskListingContract } from '@taskledger/test-kit'
import { describe } from 'vitest'
import type { Mutant } from '../run-mutant.ts'
import { describeMutants, everyRuleIsCaught, isShared } from '../run-mutant.ts'
import { lineMutants } from './line-mutants.ts'
import { Line, Network, networked } from './network.ts'
import type { NetworkedMethods } from './network.ts'
import { DistantBus, Exchange } from '../event-bus/distant-bus.ts'

interface Closable {
  close(): Promise<void>
}

/** A port in memory behind a network. */
interface Distant<Port> {
  readonly prefix: string
  readonly contractOf: (harness: Harness<Port>) => Contract<Port>
  /** Makes an engine; each call of the result opens a client. */
  readonly engine: () => (network: Network, LineOf: typeof Line) => Port
  /** Default: the clients of the engine are behind the network already. */
  readonly methods?: NetworkedMethods<Port>
  /** Tries every shared rule on each mutant. Default: those that have to fail. */
  readonly isWhole?: boolean
}

type OpenRefused = NonNullable<Subject<Closable>['openRefused']>

const refused: OpenRefused = () => Promise.reject(misconfigured('the engine refuses the password: check `credentials`'))

const refusalMutants: readonly (readonly [name: string, openRefused: OpenRefused])[] = [
  ['reports a refused password as an outage', () => Promise.reject(unavailable('cannot connect'))],
  ['shows the refused password', (password) => Promise.reject(misconfigured(`the engine refuses the password ${password}`))],
  [
    'shows the refused password in the cause',
    (password) => Promise.reject(misconfigured('refused', { url: `engine://ada:${password}@host` })),
  ],
  ['says nothing of what it was refused', () => Promise.reject(misconfigured(' '))],
  ['retries a refused password for ever', () => new Promise(() => {})],
]

const mutantsOf = <Port extends Closable>({
  prefix,
  contractOf,
  engine,
  methods,
  isWhole = false,
}: Distant<Port>): readonly Mutant<Port>[] => {
  const harnessOf = (LineOf: typeof Line, openRefused: OpenRefused): Harness<Port> => ({
    name: 'mutant',
    timing: { deadlineMs: 1_500 },
    open: async () => {
      const network = new Network()
      const client = engine()
      const open = (): Port => {
        const port = client(network, LineOf)
        return methods === undefined ? port : networked(port, new LineOf(network), methods)
      }
      return { port: open(), peer: async () => open(), faults: network.faults, openRefused: openRefused as () => Promise<Port> }
    },
  })
  const mutant = (name: string, fails: readonly string[], only: readonly string[], ...of: Parameters<typeof harnessOf>): Mutant<Port> => ({
    name: `${prefix} ${name}`,
    fails: fails.map((id) => `${prefix}-${id}`),
    only: only.map((id) => `${prefix}-${id}`),
    contract: contractOf(harnessOf(...of)),
  })
  const { rules } = contractOf(harnessOf(Line, refused))
  // A port may leave out some of the rules.
  const hasRule = (id: string): boolean => rules.some((rule) => rule.id === `${prefix}-${id}`)
  const onLines = lineMutants.flatMap(({ name, fails, Line: LineOf }) => {
    const failing = fails.filter(hasRule)
    if (failing.length === 0 && fails.length > 0) return []
    // The rules are the same for every port: that a mutant fails no other is tried on one of them.
    const only = fails.length === 0 || isWhole ? ['T', 'F'] : failing
    return [mutant(name, failing, only, LineOf, refused)]
  })
  return [...onLines, ...refusalMutants.map(([name, openRefused]) => mutant(name, ['T.6'], ['T.6'], Line, openRefused))]
}

const options = { logger: silentLogger }

const eventStores = mutantsOf<EventStore>({
  prefix: 'ES',
  contractOf: eventStoreContract,
  engine: () => {
    const memory = createMemory(options)
    return () => memory.storage().events
  },
  methods: { calls: ['append', 'read', 'remove'], iterations: ['histories'] },
  isWhole: true,
})

const listings = mutantsOf<TaskListing>({
  prefix: 'TL',
  contractOf: taskListingContract,
  engine: () => {
    const memory = createMemory(options)
    return () => memory.storage().listing
  },
  methods: { calls: ['save', 'list', 'saveProgress', 'progress', 'remove'], iterations: ['unfinished'] },
})

const registries = mutantsOf<NodeRegistry>({
  prefix: 'NR',
  contractOf: nodeRegistryContract,
  engine: () => {
    const memory = createMemory(options)
    return () => memory.storage().nodes
  },
  methods: { calls: ['renew', 'leave', 'live'] },
})

const buses = mutantsOf<EventBus>({
  prefix: 'EB',
  contractOf: eventBusContract,
  engine: () => {
    const exchange = new Exchange()
    return (network, LineOf) => new DistantBus(exchange, network, LineOf)
  },
})

// They wait for the network, and for deadlines.
describe.concurrent('mutants of the rules that all ports share', () => {
  describeMutants('event store behind a network', eventStores)
  describeMutants('task listing behind a network', listings)
  describeMutants('node registry behind a network', registries)
  describeMutants('event bus behind a network', buses)
})
describe('the shared rules', () => {
  everyRuleIsCaught(eventStores, isShared)
  everyRuleIsCaught(listings, isShared)
  everyRuleIsCaught(registries, isShared)
  everyRuleIsCaught(buses, isShared)
})
