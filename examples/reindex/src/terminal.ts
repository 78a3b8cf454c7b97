/** What another program needs to show such tasks in a terminal of its own. */
export type { ReindexDetails, Row } from './reindex-run.ts'
export { FullScreen } from './terminal/full-screen.ts'
export type { Key } from './terminal/full-screen.ts'
export { counted, fitted, number, printable, shortened, widthOf } from './terminal/printable.ts'
export { barOf, messagesOf, statusOf } from './terminal/table.ts'
