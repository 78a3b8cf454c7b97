import type { Writable } from 'node:stream'
import type { Logger } from '@taskledger/core'

/** Logs lines with the time, the level, the message, and the fields as JSON. */
export const streamLogger = (stream: Writable): Logger => {
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      const said = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields, readable)}`
      stream.write(`${new Date().toISOString()} ${level} ${message}${said}\n`)
    }
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
}

const readable = (_: string, value: unknown): unknown =>
  value instanceof Error ? Object.assign({ message: value.message, stack: value.stack, cause: value.cause }, value) : value
