import { parse, v5 } from 'uuid'
import type { CreateTask } from '../../domain/task-command.ts'
import { builtinModule } from '../node/builtin-module.ts'

/** Namespace of the ids of first events (RFC 9562, version 5). */
const firstEvents = parse('0c7a8d3e-5b1f-4f59-9c53-6f0d5c1f7a2b')

/** Everything that a first event says, apart from its id. */
export type FirstEvent = Omit<CreateTask, 'type' | 'eventIds'>

/**
 * The id of a task's first event: a digest of everything else that the event says. A message carries the event, so a worker can check the
 * id without a read, and the store compares the id when it writes the claim: so a worker starts nothing that the store does not say.
 */
export const firstEventIdOf = (event: FirstEvent): string => idOfText(textOf(event))

/** Every field, in a fixed order: a field that is left out could be forged. */
const textOf = ({ taskId, at, node, task, queue, retry, timeoutMs, notBefore, labels, idempotencyKey, retryOf }: FirstEvent): string => {
  const { maxAttempts, maxCrashes, backoff } = retry
  return JSON.stringify([
    [taskId, at, node, queue, labels],
    [task.type, task.version, task.payload],
    [maxAttempts, maxCrashes, backoff.initialMs, backoff.factor, backoff.maxMs, backoff.jitter],
    [timeoutMs, notBefore, idempotencyKey, retryOf],
  ])
}

const encoder = new TextEncoder()

/** The UUID (version 5) of a text, for any platform. */
export const portableIdOfText = (text: string): string => v5(encoder.encode(text), firstEvents)

/** What this file uses of `node:crypto`. */
interface Crypto {
  hash(algorithm: 'sha1', data: Uint8Array): string
}

/** Room for the namespace before a text. */
const roomForNamespace = '.'.repeat(firstEvents.length)

/** The same id in a quarter of the time: each task needs it twice. */
const idBy =
  (hash: Crypto['hash']) =>
  (text: string): string => {
    const bytes = encoder.encode(roomForNamespace + text)
    bytes.set(firstEvents)
    const digest = hash('sha1', bytes)
    const variant = (Number.parseInt(digest.charAt(16), 16) & 0b0011) | 0b1000
    const parts = [digest.slice(0, 8), digest.slice(8, 12), `5${digest.slice(13, 16)}`, variant.toString(16) + digest.slice(17, 20)]
    return [...parts, digest.slice(20, 32)].join('-')
  }

const { hash } = builtinModule<Crypto>('node:crypto') ?? {}

/** The UUID (version 5) of a text, by the hash function of the platform where it has one. */
export const idOfText = hash === undefined ? portableIdOfText : idBy(hash)
