import process from 'node:process'
import { resolve } from 'node:path'
import { demoMail, demoNote } from '@taskledger/example-reindex/demo'
import { findMailboxes } from '@taskledger/example-reindex/job'
import { printable } from '@taskledger/example-reindex/terminal'
import { findGround } from './ground.ts'
import type { Ground } from './ground.ts'
import { reasonOf } from './reasons.ts'
import { Scratch } from './scratch.ts'
import { Session } from './session.ts'
import { Stopped, Stopping } from './stopping.ts'

export interface ClusterCommand {
  /** Mail of the user's own; nothing for that of the example. */
  readonly paths: readonly string[]
  /** The folder of the index; nothing for one of this run alone. */
  readonly index?: string
  /** How long each new message of the example's mail waits, in milliseconds. */
  readonly paceMs: number
  /** How long what runs on a worker may go on after it was told to stop, in milliseconds. */
  readonly drainMs: number
  /** For how long nothing may happen in a plain run before what has not ended counts as lost, in milliseconds. */
  readonly silenceMs: number
  /** Lines and a script, instead of a screen and keys. */
  readonly isPlain: boolean
  /** Whether what the run made on the servers stays there. */
  readonly isKept: boolean
}

const { stdout, stderr } = process
const say = (line: string): void => void stdout.write(`${printable(line)}\n`)
const complain = (line: string): void => void stderr.write(`${printable(line)}\n`)

/** Runs a cluster, puts everything in order after it, and gives the exit code: 1 where not all went well. */
export const clusterCommand = async (command: ClusterCommand): Promise<number> => {
  const { paths, index, paceMs, isPlain } = command
  const scratch = new Scratch()
  const stopping = new Stopping()
  let isAllWell = false
  let hasBegun = false
  try {
    const folder = index === undefined ? scratch.index : resolve(index)
    const isOwnMail = paths.length > 0
    const { mailboxes, unreadable } = await findMailboxes(isOwnMail ? paths : demoMail(folder))
    for (const each of unreadable) complain(each)
    const ground = await findGround(say)
    if (!isOwnMail) say(demoNote(paceMs))
    const session = new Session({
      ...command,
      ground,
      mailboxes,
      index: folder,
      pace: isOwnMail ? {} : { paceMs },
      isLive: !isPlain && stdout.isTTY && process.env['TERM'] !== 'dumb',
      scratch,
      stopping,
      say,
      complain,
    })
    try {
      say('Making a keyspace, and starting a front-end and two workers, each a process of its own')
      await ground.prepare()
      hasBegun = true
      isAllWell = await session.run()
    } finally {
      isAllWell = (await tidied(ground, command)) && isAllWell
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  } finally {
    stopping.release()
    if (isAllWell || !hasBegun) scratch.remove()
    else complain(`The logs of all processes are in ${scratch.logs}`)
  }
  return stopping.exitCode ?? (isAllWell ? 0 : 1)
}

/** Puts the servers in order; whether that went well. */
const tidied = async (ground: Ground, { isKept }: ClusterCommand): Promise<boolean> => {
  const { keyspace, prefix } = ground.engines
  try {
    if (isKept && !ground.isLasting) say('Nothing is kept: servers were started for this run, and go with it')
    else if (isKept)
      say(`Kept: the keyspace ${keyspace} (DROP KEYSPACE ${keyspace}), and the queues and exchanges whose names begin with ${prefix}`)
    else await ground.clear()
    return true
  } catch (error) {
    complain(`What the run made could not be removed: the keyspace ${keyspace}, queues and exchanges ${prefix}…: ${reasonOf(error)}`)
    return false
  } finally {
    await ground.stop()
  }
}
