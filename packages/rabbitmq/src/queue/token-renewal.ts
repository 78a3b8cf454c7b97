import { BackOff, pause } from '../connection/back-off.ts'
import type { MessageSender } from './message-sender.ts'

/**
 * How often the holder replaces its token, in milliseconds. The broker takes back a message that is not acknowledged for long, by
 * default after half an hour.
 */
const renewalMs = 60_000

interface TokenRenewal {
  readonly queue: string
  readonly sender: MessageSender
  /** Whether this consumer holds a token. */
  isHolder(): boolean
  /** Aborted when the channel is lost. */
  readonly signal: AbortSignal
}

/** Sends a token at once, and one per renewal interval while this consumer is the holder, until the signal is aborted. */
export const sendTokens = async ({ queue, sender, isHolder, signal }: TokenRenewal): Promise<void> => {
  const backOff = new BackOff()
  for (;;) {
    try {
      await sender.sendToken(queue)
      backOff.reset()
      await pause(renewalMs, signal)
      while (!isHolder() && !signal.aborted) await pause(renewalMs, signal)
    } catch (error) {
      // Retried until the channel is lost: without a token no consumer takes messages.
      sender.logger.debug({ err: error, queue }, 'could not send the token of a serial queue: retrying')
      await backOff.pause(signal)
    }
    if (signal.aborted) return
  }
}
