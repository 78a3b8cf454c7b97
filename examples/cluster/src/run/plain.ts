import type { TaskDetails, TaskHandle } from '@taskledger/core'
import { isFinalStatus } from '@taskledger/core'
import type { Mailbox } from '@taskledger/example-reindex/job'
import { counted } from '@taskledger/example-reindex/terminal'
import type { Cluster } from '../cluster/cluster.ts'
import { Correctable } from '../errors.ts'

export interface PlainRunOptions {
  readonly cluster: Cluster
  readonly mailboxes: readonly Mailbox[]
  readonly say: (line: string) => void
  /** How long to wait without any news before unfinished tasks count as lost, in milliseconds. */
  readonly silenceMs: number
  readonly signal: AbortSignal
}

/**
 * Does what a user would do: submits a task for each mailbox, cancels one that runs, stops a busy worker, adds another one, and waits until
 * all tasks have ended.
 */
export const plainRun = async ({ cluster, mailboxes, say, silenceMs, signal }: PlainRunOptions): Promise<void> => {
  const handles = await cluster.submit(mailboxes)
  say(`submitted ${counted(handles.length, 'mailbox', 'mailboxes')}`)
  const silence = new Silence(cluster, silenceMs)
  const bound = AbortSignal.any([signal, silence.signal])
  try {
    await cancelLast(cluster, handles, say, bound)
    await exchangeWorker(cluster, say)
    await Promise.all(handles.map((handle) => handle.finished({ signal: bound })))
  } catch (error) {
    if (!silence.signal.aborted || signal.aborted) throw error
    say(`no news for ${silenceMs / 1000} s: unfinished tasks count as lost`)
  } finally {
    silence.end()
  }
}

/** The last mailbox of the example is the largest: it can be cancelled while it runs. */
const cancelLast = async (
  cluster: Cluster,
  handles: readonly TaskHandle<unknown, unknown>[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const handle = handles.at(-1)
  if (handle === undefined) return
  const name = cluster.mailboxOf(handle.id)?.name
  const isReady = ({ status, progress }: Pick<TaskDetails, 'status' | 'progress'>): boolean =>
    (status === 'inProgress' && progress !== undefined) || isFinalStatus(status)
  for await (const details of handle.watch({ signal })) if (isReady(details)) break
  const { outcome } = await handle.cancel({ reason: 'the script cancels one task', by: 'cluster --plain', signal })
  say(outcome === 'finished' ? `${name}: had ended before it could be cancelled` : `${name}: cancel requested`)
}

/** Stops the busiest worker in order, and starts another one at the same time. */
const exchangeWorker = async (cluster: Cluster, say: (line: string) => void): Promise<void> => {
  const { pool, watch } = cluster
  const busiest = pool.workers
    .filter(({ state }) => state === 'alive')
    .toSorted((a, b) => watch.runningOn(b.nodeId) - watch.runningOn(a.nodeId))[0]
  // The sums at the end count what is lost.
  if (busiest === undefined) return say('no worker is left')
  say(`stopping ${busiest.name} in order, and adding another worker`)
  // An added worker that is killed before it is ready counts as lost, as it would afterwards: other workers run the tasks.
  await Promise.all([pool.stopOne(busiest), pool.add()?.ready.catch(() => {})])
}

/** Aborts its signal when no notice has come for a while: neither an end nor progress. */
class Silence {
  readonly #over = new AbortController()
  readonly #unsubscribe: () => void
  readonly #timer: NodeJS.Timeout

  constructor(cluster: Cluster, ms: number) {
    this.#timer = setTimeout(() => this.#over.abort(new Correctable('no news from the cluster')), ms)
    this.#unsubscribe = cluster.manager.subscribe(() => void this.#timer.refresh())
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  end(): void {
    this.#unsubscribe()
    clearTimeout(this.#timer)
  }
}
