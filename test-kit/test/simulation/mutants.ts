/** A protection that is taken away: some text of the sources, and what stands there instead. */
export interface Mutant {
  readonly name: string
  readonly edits: readonly Edit[]
}

export interface Edit {
  /** From packages/. */
  readonly file: string
  readonly from: string
  readonly to: string
}

const core = (file: string, from: string, to: string): Edit => ({ file: `core/src/application/${file}`, from, to })

export const mutants: readonly Mutant[] = [
  {
    name: 'a store that does not compare versions',
    edits: [{ file: 'memory/src/memory-event-store.ts', from: 'if (history.length === expectedVersion) {', to: 'if (true) {' }],
  },
  {
    name: 'any attempt may be settled, not only the one that runs',
    edits: [{ file: 'core/src/domain/decide.ts', from: "if (command.attempt !== state.attempt) return refuse('staleAttempt')", to: '' }],
  },
  {
    name: 'a writer does not recognise its own event, neither does the store',
    edits: [
      core('event-sourcing.ts', 'if (own.length > 0) {', 'if (false) {'),
      { file: 'memory/src/memory-event-store.ts', from: 'else if (!standThere(history, expectedVersion, events))', to: 'else' },
    ],
  },
  {
    name: 'whoever waits reads first and listens then',
    edits: [core('awaiting.ts', 'if (!this.#woken && !this.#isOver())', 'if (!this.#isOver())')],
  },
  {
    name: 'nothing is read again after a gap',
    edits: [core('task-manager.ts', '    this.#worker?.lookAtAll()\n    this.#awaiting.wakeAll()\n', '')],
  },
  {
    name: 'no poll where notices may be lost without a word',
    edits: [core('awaiting.ts', '        for (const waiter of watched.waiters) waiter.wake()\n        poll()', '')],
  },
  {
    name: 'running tasks are not looked up again at a renewal',
    edits: [core('task-manager.ts', '    this.#checkLease()\n    this.#worker?.lookAtAll()\n', '    this.#checkLease()\n')],
  },
  {
    name: 'a node that lost its lease runs on',
    edits: [core('lease.ts', "return age < doubtfulFrom * ttlMs ? 'held' : age < ttlMs ? 'doubtful' : 'lost'", "return age < Infinity ? 'held' : 'lost'")],
  },
  {
    name: 'a janitor judges at once after it could not reach the registry itself',
    edits: [core('node-watch.ts', "return lease.state === 'held' && clock.elapsed() - this.#answersSince >= lease.settings.ttlMs", 'return true')],
  },
  {
    name: 'a task is lost once it waits for long, however deep its queue',
    edits: [core('recovery.ts', 'return since + this.#overdueMs <= (await this.#horizons.of(details.queue))', 'return true')],
  },
  {
    name: 'one look that does not find a node is its death',
    edits: [core('node-watch.ts', 'missed.absent >= 2', 'missed.absent >= 1')],
  },
  {
    name: 'a node is not looked for again before its task is taken from it',
    edits: [core('recovery.ts', '    await this.#watch.lookAgain()\n', '')],
  },
  {
    name: 'the final append is tried once',
    edits: [core('attempts.ts', 'export const untilClosed = { forMs: Infinity }', 'export const untilClosed = { forMs: 0 }')],
  },
  {
    name: 'the janitor sends nothing again',
    edits: [core('recovery.ts', '    await this.#sender.send(details, version === 1 ? created : undefined)\n', '')],
  },
  {
    name: 'the janitor declares nobody dead',
    edits: [core('recovery.ts', '    if (!this.#watch.isDead(node)) return false\n    // It may', '    return false\n    // It may')],
  },
  {
    name: 'a message of a serial queue that comes again is not held',
    edits: [
      core('claims.ts', 'delivery.redelivered && untilFree !== undefined ? await untilFree() : ', ''),
      core('claims.ts', "      if (refused === 'alreadyStarted') await untilFree?.()\n", ''),
    ],
  },
  {
    name: 'a task is acknowledged without a row',
    edits: [core('submissions.ts', '    await persist(this.#node, persistence, (signal) => storage.listing.save(details, { signal }))\n', '    void [persist, storage, persistence]\n')],
  },
  {
    name: 'a repeated submit leaves a half-made task half made',
    edits: [core('submissions.ts', 'if (!isTaken) await this.#show(aggregate, persistence)', 'if (refused === undefined) await this.#show(aggregate, persistence)')],
  },
  {
    name: 'a command keeps the time of a clock that is behind',
    edits: [core('event-sourcing.ts', 'details === undefined || details.updatedAt <= command.at ?', 'true || details === undefined ?')],
  },
  {
    name: 'a call that is never answered is waited for',
    edits: [core('deadlines.ts', '    for (const end of slice.ends) end(reason)\n', '')],
  },
  {
    name: 'rows and notices that failed are not tried again',
    edits: [core('outbox.ts', '      void this.#retry(what, call)\n', '')],
  },
  {
    name: 'the lease counts from the answer of the registry',
    edits: [core('membership.ts', 'lease.renewed(sentAt)', 'lease.renewed(clock.elapsed())')],
  },
  {
    name: 'a claim does not ask whether somebody wished the task to end meanwhile',
    edits: [core('attempts.ts', '      if (isMissed()) void this.#look(run)\n', '')],
  },
  {
    name: 'a task begins before its time',
    edits: [{ file: 'core/src/domain/decide.ts', from: "if (state.dueAt > command.at) return refuse('notDue')", to: '' }],
  },
  {
    name: 'a task that failed is not sent again by who ran it',
    edits: [core('attempts.ts', "} else if (details?.status === 'waiting') await this.#sender.send(details)", '}')],
  },
]
