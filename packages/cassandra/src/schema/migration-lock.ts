import { unavailable } from '@taskledger/core/ports'
import type { Session } from '../connection/session.ts'
import { stateRows, stateTable } from './steps.ts'

/**
 * How long the lock is valid, in seconds. A running migration renews it before each definition; the lock of a dead
 * migration expires.
 */
const lockTtlSeconds = 60

/** Takes the migration lock. Returns whether the owner has it now. */
export const takeLock = async (session: Session, owner: string): Promise<boolean> => {
  const cql = `INSERT INTO ${session.table(stateTable)} (name, value) VALUES (?, ?) IF NOT EXISTS USING TTL ${lockTtlSeconds}`
  const { applied, rows } = await session.conditional([{ cql, params: [stateRows.lock, owner] }])
  return applied || rows[0]?.['value'] === owner
}

/** @throws `UNAVAILABLE` if the lock has expired: another node may have it. */
export const renewLock = async (session: Session, owner: string): Promise<void> => {
  const cql = `UPDATE ${session.table(stateTable)} USING TTL ${lockTtlSeconds} SET value = ? WHERE name = ? IF value = ?`
  const { applied } = await session.conditional([{ cql, params: [owner, stateRows.lock, owner] }])
  if (!applied) throw unavailable('the migration lock expired before the migration ended: call migrate() again')
}

/** Gives the lock back, if the owner still has it. */
export const releaseLock = async (session: Session, owner: string): Promise<void> => {
  const cql = `DELETE FROM ${session.table(stateTable)} WHERE name = ? IF value = ?`
  await session.conditional([{ cql, params: [stateRows.lock, owner] }])
}
