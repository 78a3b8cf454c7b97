/** The frame of a command-line program: another example uses it too. */
export { messageOf } from './error-message.ts'
export { expandedPath, milliseconds, runCommandLine } from './program/command-line.ts'
export { ShutDown, Shutdown } from './program/shutdown.ts'
export type { ShutdownRequest } from './program/shutdown.ts'
export { startProgram } from './program/start.ts'
