import type { Logger } from '@taskledger/core'

/** Logs lines to stderr, which the parent redirects to a file. */
export const stderrLogger = (): Logger => {
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      process.stderr.write(`${new Date().toISOString()} ${level} ${message} ${JSON.stringify(fields, readable)}\n`)
    }
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
}

const readable = (_: string, value: unknown): unknown =>
  value instanceof Error ? Object.assign({ message: value.message, stack: value.stack, cause: value.cause }, value) : value
