import process from 'node:process'
import { resolve } from 'node:path'
import { demoMail, demoNote } from '@taskledger/example-reindex/demo'
import { findMailboxes } from '@taskledger/example-reindex/job'
import { ShutDown, Shutdown } from '@taskledger/example-reindex/program'
import { printable } from '@taskledger/example-reindex/terminal'
import { findEnvironment } from './environment/environment.ts'
import type { Environment } from './environment/environment.ts'
import { reasonOf } from './errors.ts'
import { RunFolder } from './environment/run-folder.ts'
import { Session } from './run/session.ts'

export interface ClusterCommand {
  /** The user's own mail. Empty: the mail of the example. */
  readonly paths: readonly string[]
  /** The folder of the index. Default: a folder of this run alone. */
  readonly index?: string
  /** How long each new message of the example waits, in milliseconds. */
  readonly paceMs: number
  /** How long the tasks of a worker may go on after it was stopped, in milliseconds. */
  readonly drainMs: number
  /** How long a plain run waits without any news before unfinished tasks count as lost, in milliseconds. */
  readonly silenceMs: number
  /** Whether there are lines and a script, instead of a screen and keys. */
  readonly isPlain: boolean
  /** Whether the keyspace and the queues stay on the servers. */
  readonly isKept: boolean
}

const { stdout, stderr } = process
const say = (line: string): void => void stdout.write(`${printable(line)}\n`)
const warn = (line: string): void => void stderr.write(`${printable(line)}\n`)

/** Runs a cluster, cleans up after it, and gives the exit code: 1 where not all went well. */
export const clusterCommand = async (command: ClusterCommand): Promise<number> => {
  const { paths, index, paceMs, isPlain } = command
  const runFolder = new RunFolder()
  const shutdown = new Shutdown()
  let isAllWell = false
  let hasStarted = false
  try {
    const folder = index === undefined ? runFolder.index : resolve(index)
    const isOwnMail = paths.length > 0
    const { mailboxes, unreadable } = await findMailboxes(isOwnMail ? paths : demoMail(folder))
    for (const each of unreadable) warn(each)
    const environment = await findEnvironment(say)
    if (!isOwnMail) say(demoNote(paceMs))
    const session = new Session({
      ...command,
      environment,
      mailboxes,
      index: folder,
      pace: isOwnMail ? {} : { paceMs },
      isLive: !isPlain && stdout.isTTY && process.env['TERM'] !== 'dumb',
      runFolder,
      shutdown,
      say,
      warn,
    })
    try {
      say('Creating a keyspace, and starting a front-end and two workers, each in a process of its own')
      await environment.prepare()
      hasStarted = true
      isAllWell = await session.run()
    } finally {
      isAllWell = (await cleanedUp(environment, command)) && isAllWell
    }
  } catch (error) {
    if (!(error instanceof ShutDown)) throw error
  } finally {
    shutdown.release()
    if (isAllWell || !hasStarted) runFolder.remove()
    else warn(`The logs of all processes are in ${runFolder.logs}`)
  }
  return shutdown.exitCode ?? (isAllWell ? 0 : 1)
}

/** Removes the keyspace and the queues, and stops servers that were started. Gives whether that went well. */
const cleanedUp = async (environment: Environment, { isKept }: ClusterCommand): Promise<boolean> => {
  const { keyspace, prefix } = environment.engines
  try {
    if (isKept && !environment.isLasting) say('Nothing is kept: the servers were started for this run, and their data go with them')
    else if (isKept)
      say(`Kept: the keyspace ${keyspace} (DROP KEYSPACE ${keyspace}), and the queues and exchanges whose names begin with ${prefix}`)
    else await environment.clear()
    return true
  } catch (error) {
    warn(`could not remove the keyspace ${keyspace}, and the queues and exchanges whose names begin with ${prefix}: ${reasonOf(error)}`)
    return false
  } finally {
    await environment.stop()
  }
}
