import { fileURLToPath } from 'node:url'
import type { Pool } from 'workerpool'
import { pool, Promise as Call } from 'workerpool'
import type { RawMessage } from './mailbox.ts'
import type { Mail } from './parse-mail.ts'

interface Bounds {
  readonly signal: AbortSignal
  readonly maxMs?: number
}

/**
 * Parses messages in threads of their own: parsing computes, and a body that computes would stop the whole process, with its lease, its
 * cancellations and its Ctrl-C. A thread whose message takes too long is ended in the middle of its work, as on an abort.
 */
export class MailParser {
  readonly #maxMs: number
  readonly #threads: Pool = pool(fileURLToPath(new URL('./parse-thread.ts', import.meta.url)), { workerType: 'thread' })

  /** `maxMs`: the longest that a message is parsed, in milliseconds. Default 10,000. */
  constructor({ maxMs = 10_000 }: { readonly maxMs?: number } = {}) {
    this.#maxMs = maxMs
  }

  /**
   * Parses a message as far as that is possible in time; after that it is its head and plain text.
   *
   * @throws the reason of the signal.
   */
  async parse(raw: RawMessage, signal: AbortSignal): Promise<Mail> {
    try {
      return await this.#run('parseMail', [raw], { signal, maxMs: this.#maxMs })
    } catch (error) {
      if (!(error instanceof Call.TimeoutError)) throw error
      return this.#run('parseHead', [raw, `it takes longer than ${this.#maxMs / 1_000} s to parse`], { signal })
    }
  }

  /** Ends the threads, also in the middle of their work. */
  async close(): Promise<void> {
    await this.#threads.terminate(true)
  }

  async #run(name: 'parseMail' | 'parseHead', args: readonly unknown[], { signal, maxMs }: Bounds): Promise<Mail> {
    signal.throwIfAborted()
    const running = this.#threads.exec(name, [...args])
    if (maxMs !== undefined) running.timeout(maxMs)
    const abort = (): void => void running.cancel()
    signal.addEventListener('abort', abort, { once: true })
    try {
      return (await running) as Mail
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}
