import type { TaskDetails, TaskHandle } from '@taskledger/core'
import { isFinalStatus } from '@taskledger/core'
import type { Mailbox } from '@taskledger/example-reindex/job'
import { counted } from '@taskledger/example-reindex/terminal'
import type { Cluster } from './cluster.ts'
import { Mendable } from './reasons.ts'

export interface PlainRunOptions {
  readonly cluster: Cluster
  readonly mailboxes: readonly Mailbox[]
  readonly say: (line: string) => void
  /** For how long nothing may happen before what has not ended counts as lost, in milliseconds. */
  readonly silenceMs: number
  readonly signal: AbortSignal
}

/**
 * Does by itself what a person would do: submits a task for each mailbox, cancels one that runs, stops a worker that is busy,
 * adds another, and waits for all ends.
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
    say(`nothing happened for ${silenceMs / 1000} s: what has not ended by now counts as lost`)
  } finally {
    silence.end()
  }
}

/** The mailbox that comes last is the largest of those that the example brings: it can be cancelled while it runs. */
const cancelLast = async (
  cluster: Cluster,
  handles: readonly TaskHandle<unknown, unknown>[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const handle = handles.at(-1)
  if (handle === undefined) return
  const name = cluster.mailboxOf(handle.id)?.name
  const isUnderWay = ({ status, progress }: TaskDetails): boolean =>
    (status === 'inProgress' && progress !== undefined) || isFinalStatus(status)
  for await (const details of handle.watch({ signal })) if (isUnderWay(details)) break
  const { outcome } = await handle.cancel({ reason: 'one is cancelled', by: 'cluster --plain', signal })
  say(outcome === 'finished' ? `${name}: had ended before it could be cancelled` : `${name}: is to be cancelled`)
}

/** Stops the busiest worker in order, and starts another at the same time. */
const exchangeWorker = async (cluster: Cluster, say: (line: string) => void): Promise<void> => {
  const { fleet, watch } = cluster
  const busiest = fleet.workers
    .filter(({ state }) => state === 'alive')
    .toSorted((a, b) => watch.runningOn(b.nodeId) - watch.runningOn(a.nodeId))[0]
  // Whoever waits for the rest is told in the end what was lost.
  if (busiest === undefined) return say('no worker is left')
  say(`${busiest.name} is stopped in order, and another one is added`)
  await Promise.all([fleet.stopOne(busiest), fleet.add()?.ready])
}

/** Notices that nothing happens any more: neither ends nor progress. */
class Silence {
  readonly #over = new AbortController()
  readonly #unsubscribe: () => void
  readonly #timer: NodeJS.Timeout

  constructor(cluster: Cluster, ms: number) {
    this.#timer = setTimeout(() => this.#over.abort(new Mendable('nothing happens any more')), ms)
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
