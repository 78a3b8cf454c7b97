/** The parts of the screen, for other programs that show such tasks in a terminal. */
export type { ReindexDetails, Row } from './reindex-run.ts'
export { FullScreen } from './terminal/full-screen.ts'
export type { Key } from './terminal/full-screen.ts'
export { counted, fitted, number, printable, shortened, widthOf } from './terminal/printable.ts'
export { barOf, messagesOf, statusOf } from './terminal/table.ts'
