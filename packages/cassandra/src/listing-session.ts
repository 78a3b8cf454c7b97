import type { Session } from './session.ts'

/** What the listing needs of a session. */
export type ListingSession = Pick<Session, 'prefix' | 'table' | 'logger' | 'execute' | 'batch'>
