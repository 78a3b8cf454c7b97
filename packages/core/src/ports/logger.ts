/**
 * Takes what there is to tell. The shape is pino's; `console` fits too, and so does whatever has these four methods.
 */
export interface Logger {
  /** What helps to find a fault. */
  debug(fields: object, message: string): void
  /** What is worth knowing. */
  info(fields: object, message: string): void
  /** What went wrong and is being dealt with. */
  warn(fields: object, message: string): void
  /** What went wrong and somebody has to deal with. */
  error(fields: object, message: string): void
}

const nothing = (): void => {}

/** Drops everything. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** What applies where no logger is given: warnings and errors go to the console, the rest nowhere. */
export const consoleLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => console.warn(`[taskledger] ${message}`, fields),
  error: (fields, message) => console.error(`[taskledger] ${message}`, fields),
}
