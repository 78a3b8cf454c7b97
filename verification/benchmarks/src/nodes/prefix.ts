import process from 'node:process'

let prefixes = 0

/** Keeps the rows and queues of one program apart from those of the others. */
export const freshPrefix = (): string => `b${process.pid}-${prefixes++}`
