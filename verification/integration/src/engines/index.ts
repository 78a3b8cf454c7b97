import { cassandra } from './cassandra.ts'
import type { TestedEngine } from './engine.ts'
import { rabbitmq } from './rabbitmq.ts'

/** The engines of the compatibility page. */
export const engines: readonly TestedEngine[] = [cassandra, rabbitmq]
