import { cassandra } from './cassandra/engine.ts'
import type { Engine, Environment, Found } from './engine.ts'
import { rabbitmq } from './rabbitmq/engine.ts'

/**
 * Every engine, under the name by which a test gets its endpoint: `inject('servers').cassandra`. A new engine is a folder beside these
 * two and a line here.
 */
const engines = { cassandra, amqp: rabbitmq }

type EngineName = keyof typeof engines

type EndpointOf<Known> = Known extends Engine<infer Endpoint> ? Endpoint : never

/** The endpoint of each engine. */
export type Servers = { readonly [Name in EngineName]: EndpointOf<(typeof engines)[Name]> }

type AnyEndpoint = Servers[EngineName]

// The type of a list of different engines: each of them is only given what it has found itself.
export const everyEngine = Object.entries(engines) as unknown as readonly (readonly [EngineName, Engine<AnyEndpoint>])[]

/** The environment variables by which another process finds these servers. */
export const environmentOf = (servers: Servers): Environment => ({
  TASKLEDGER_SERVERS: 'environment',
  ...Object.assign({}, ...everyEngine.map(([name, engine]) => engine.environmentOf(servers[name]))),
})

/** The endpoints of what was found, one for each engine in the order of {@link everyEngine}. */
export const serversOf = (found: readonly Found<AnyEndpoint>[]): Servers =>
  Object.fromEntries(everyEngine.map(([name], index) => [name, found[index]?.endpoint])) as unknown as Servers

/** What test files see while they are collected on a machine without servers. */
export const nowhere = Object.fromEntries(everyEngine.map(([name, engine]) => [name, engine.nowhere])) as unknown as Servers
