import { randomUUID } from 'node:crypto'
import type { Client } from 'cassandra-driver'
import { types } from 'cassandra-driver'
import { perSecond } from '../measure/pace.ts'
import { bareBody } from './bare-schema.ts'

const { localQuorum, localSerial } = types.consistencies

const insertEvent = 'INSERT INTO bare_event (cohort, task, seq, event_id, body) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS'
const selectEvents = 'SELECT seq, event_id, body FROM bare_event WHERE cohort = ?'
const selectSnapshot = 'SELECT body FROM bare_snapshot WHERE task = ?'
const selectProjection = 'SELECT version, status, body FROM bare_projection WHERE task = ?'
const saveProjection = 'INSERT INTO bare_projection (task, version, status, body) VALUES (?, ?, ?, ?)'

/**
 * One life by the statements of Apache James, counted in its code: each command reads a snapshot and, at SERIAL, the history, appends by a
 * conditional insert, reads the projection and writes it back. The first command needs no reads. That makes 3 conditional writes, 2 SERIAL
 * reads, 4 reads and 3 writes, in a partition for each task, without messages.
 */
export const liveLikeJames = async (client: Client): Promise<number> => {
  const task = randomUUID()
  const options = { prepare: true, consistency: localQuorum, serialConsistency: localSerial }
  for (const seq of [1, 2, 3]) {
    if (seq > 1) {
      await client.execute(selectSnapshot, [task], options)
      await client.execute(selectEvents, [task], { ...options, consistency: localSerial })
    }
    await client.execute(insertEvent, [task, task, seq, `${task}-${seq}`, bareBody(task, 'event')], options)
    if (seq > 1) await client.execute(selectProjection, [task], options)
    await client.execute(saveProjection, [task, seq, 'status', bareBody(task, 'row')], options)
  }
  return 1
}

const atOnce = 64

/** James-like lives per second. */
export const jamesLives = (client: Client, forMs: number): Promise<number> => perSecond(atOnce, forMs, () => liveLikeJames(client))
