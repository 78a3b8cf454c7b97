/** Real engines for tests, examples and benchmarks: given by the environment, found on this machine, in Docker, or started here. */
export type { AmqpEndpoint, CassandraEndpoint, EngineProcess, Found, Origin, Say } from './types.ts'
