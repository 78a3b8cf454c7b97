import { callSafely } from './call-safely.ts'
import { logText } from './log-text.ts'

/** Takes log lines. The shape is pino's; `console` fits too, and so does any object with these four methods. An error is under `err`. */
export interface Logger {
  /** Details that help to find a fault. */
  debug(fields: object, message: string): void
  /** A normal change of state. */
  info(fields: object, message: string): void
  /** A failure that the framework handles. */
  warn(fields: object, message: string): void
  /** A failure that a person has to handle. */
  error(fields: object, message: string): void
}

const nothing = (): void => {}

/** Drops everything. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/**
 * The default logger: warnings and errors go to the console, the rest nowhere. It escapes what comes from outside: line breaks, control
 * characters, marks of direction.
 */
export const consoleLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => console.warn(`[taskledger] ${logText(fields, message)}`),
  error: (fields, message) => console.error(`[taskledger] ${logText(fields, message)}`),
}

/**
 * A logger that drops what the given logger throws, and the rejections of its promises: a failing logger must not fail a task, nor end the
 * process. An adapter wraps the logger of its options in it.
 */
export const neverThrowing = (logger: Logger): Logger => {
  const method =
    (level: keyof Logger): Logger['debug'] =>
    (fields, message) =>
      // The failing logger is the only place to report its errors to.
      callSafely(() => logger[level](fields, message), nothing)
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}
