import type { PromiseName } from '../src/oracle/promises.ts'

/** A protection that is taken away by edits of the sources. */
export interface Mutant {
  /** What the system does without the protection. */
  readonly name: string
  /** The first seed that finds it. */
  readonly seed: number
  /** A promise that is broken by that seed. */
  readonly promise: PromiseName
  readonly edits: readonly Edit[]
}

export interface Edit {
  /** Relative to packages/. */
  readonly file: string
  /** Occurs once in the file. */
  readonly from: string
  readonly to: string
}

const core = (file: string, from: string, to: string): Edit => ({ file: `core/src/application/${file}`, from, to })

export const mutants: readonly Mutant[] = [
  {
    name: 'the end of an attempt is given up if the thrown value cannot be read',
    seed: 3,
    promise: 'final',
    edits: [
      core('worker/attempts.ts', '      await this.#fail(run, error)\n', '      void error\n      this.#forget(run)\n'),
      {
        file: 'core/src/ports/shared/errors.ts',
        from: '  } catch {\n    return undefined\n  }',
        to: '  } catch (error) {\n    throw error\n  }',
      },
    ],
  },
  {
    name: 'a lease that is lost by standing still does not count',
    seed: 24,
    promise: 'final',
    edits: [core('worker/conclusion.ts', 'if (isCrash) return', 'if (isCrash && false) return')],
  },
  {
    name: 'the only node of a cluster stops its tasks when it stood still',
    seed: 234,
    promise: 'blocked',
    edits: [core('membership/lapses.ts', '    this.#isOpen = this.isHarmless\n', '    this.#isOpen = false\n')],
  },
  {
    name: 'tasks that have crashed twice run beside each other',
    seed: 84,
    promise: 'poison',
    edits: [core('worker/suspects.ts', 'if (this.#turns.size > 0 &&', 'if (false &&')],
  },
  {
    name: 'a crash counts although the task got further',
    seed: 114,
    promise: 'further',
    edits: [
      {
        file: 'core/src/domain/crashes.ts',
        from: 'inARow: all > 0 && gotFurther ? 1 : inARow + 1',
        to: 'inARow: gotFurther ? inARow + 1 : inARow + 1',
      },
    ],
  },
  {
    name: 'a task may crash without end',
    seed: 9,
    promise: 'poison',
    edits: [
      {
        file: 'core/src/domain/crashes.ts',
        from: 'inARow > maxCrashes || all > maxFactor * maxCrashes',
        to: 'inARow + all > 100 * maxCrashes',
      },
    ],
  },
  {
    name: 'a store that does not compare versions',
    seed: 2,
    promise: 'history',
    edits: [
      {
        file: 'memory/src/storage/event-store.ts',
        from: 'if (history.length === expectedVersion && isAt(history, expectedVersion, options?.follows)) {',
        to: 'if (true) {',
      },
    ],
  },
  {
    name: 'any attempt may be settled, not only the current one',
    seed: 98,
    promise: 'history',
    edits: [{ file: 'core/src/domain/decide.ts', from: "if (command.attempt !== state.attempt) return refuse('staleAttempt')", to: '' }],
  },
  {
    name: 'a writer does not recognise its own event, and neither does the store',
    seed: 23,
    promise: 'final',
    edits: [
      core('commands/event-sourcing.ts', 'if (own.length > 0) {', 'if (false) {'),
      { file: 'memory/src/storage/event-store.ts', from: 'else if (!standThere(history, expectedVersion, events))', to: 'else' },
    ],
  },
  {
    name: 'a wait reads first and subscribes later',
    seed: 29,
    promise: 'awaitInTime',
    edits: [core('queries/awaiting.ts', 'if (!this.#woken && !this.#isOver())', 'if (!this.#isOver())')],
  },
  {
    name: 'nothing is read again after a gap',
    seed: 65,
    promise: 'awaitInTime',
    edits: [core('assembly.ts', '    this.worker.lookAtAll()\n    this.#awaiting.wakeAll()\n', '')],
  },
  {
    name: 'no poll although notices may be lost silently',
    seed: 123,
    promise: 'await',
    edits: [core('queries/awaiting.ts', '        for (const waiter of watched.waiters) waiter.wake()\n        poll()', '')],
  },
  {
    name: 'running tasks are not read again at a renewal',
    seed: 314,
    promise: 'cancelInTime',
    edits: [core('assembly.ts', '    if (!isEarly) this.worker.lookAtAll()\n', '')],
  },
  {
    name: 'a node that lost its lease continues to run tasks',
    seed: 206,
    promise: 'overlap',
    edits: [
      core(
        'node/lease.ts',
        "return age < doubtfulFrom * ttlMs ? 'held' : age < ttlMs ? 'doubtful' : 'lost'",
        "return age < Infinity * ttlMs ? 'held' : 'lost'",
      ),
    ],
  },
  {
    name: 'a janitor judges at once after it could not reach the registry',
    seed: 591,
    promise: 'alive',
    edits: [
      core(
        'membership/node-watch.ts',
        "return lease.state === 'held' && clock.elapsed() - this.#answersSince >= lease.settings.ttlMs",
        'return true',
      ),
    ],
  },
  {
    name: 'a task counts as lost when it has waited long, however deep its queue is',
    seed: 209,
    promise: 'once',
    edits: [core('recovery/recovery.ts', 'return since + this.#overdueMs <= (await this.#horizons.of(details.queue))', 'return true')],
  },
  {
    name: 'the final append is tried once',
    seed: 59,
    promise: 'ending',
    edits: [
      core(
        'node/retrying.ts',
        'export const untilClosed: Persistence = { forMs: Infinity }',
        'export const untilClosed: Persistence = { forMs: 0 }',
      ),
    ],
  },
  {
    name: 'the janitor sends nothing again',
    seed: 80,
    promise: 'final',
    edits: [
      core('recovery/recovery.ts', '    await this.#sender.send(details, { created: version === 1 ? created : undefined, dueInMs })\n', ''),
    ],
  },
  {
    name: 'the janitor declares no node dead',
    seed: 14,
    promise: 'final',
    edits: [
      core(
        'recovery/recovery.ts',
        '    if (!this.#watch.isDead(node)) return false\n    // The node may',
        '    return false\n    // The node may',
      ),
    ],
  },
  {
    name: 'a redelivered message of a serial queue is not held',
    seed: 664,
    promise: 'serial',
    edits: [
      core(
        'worker/claims.ts',
        '    if (delivery.redelivered && untilFree !== undefined) return this.#start(taken, await untilFree())\n',
        '',
      ),
      core('worker/claims.ts', '        await untilFree?.()\n', ''),
    ],
  },
  {
    name: 'a task is acknowledged without a row',
    seed: 80,
    promise: 'final',
    edits: [
      core(
        'commands/submissions.ts',
        '      await persist(this.#node, persistence, (signal) => this.#publisher.saveRowNow(details, signal))\n',
        '      void [persist, persistence]\n',
      ),
    ],
  },
  {
    name: 'a repeated submit does not complete a half-written task',
    seed: 1,
    promise: 'final',
    edits: [
      core(
        'commands/submissions.ts',
        'if (!isTaken) await this.#publish(aggregate, persistence, dueInMs)',
        'if (refused === undefined) await this.#publish(aggregate, persistence, dueInMs)',
      ),
    ],
  },
  {
    name: 'a command keeps the time of a clock that is behind',
    seed: 4,
    promise: 'history',
    edits: [{ file: 'core/src/domain/decide.ts', from: 'at: Math.max(at, updatedAt),', to: 'at: Math.max(at, 0 * updatedAt),' }],
  },
  {
    name: 'a call without an answer has no timeout',
    seed: 1,
    promise: 'timers',
    edits: [core('node/deadlines.ts', '    for (const end of slice.ends) end(reason)\n', '')],
  },
  {
    name: 'rows and notices that failed are not retried',
    seed: 20,
    promise: 'listing',
    edits: [core('commands/outbox.ts', '      this.#retry(what, again)\n', '')],
  },
  {
    name: 'a claim does not check for a cancel request made meanwhile',
    seed: 1320,
    promise: 'cancelInTime',
    edits: [core('worker/attempts.ts', '      if (isMissed()) void this.#look(run)\n', '')],
  },
  {
    name: 'a task begins before its time',
    seed: 84,
    promise: 'due',
    edits: [
      {
        file: 'core/src/domain/decide.ts',
        from: 'state.dueAt > dueBy && dueVersion !== state.version',
        to: 'state.dueAt > dueBy && !dueVersion',
      },
      core('commands/sender.ts', 'dueInMs > 0 ? { dueInMs } : {}', 'dueInMs > Infinity ? { dueInMs } : {}'),
    ],
  },
  {
    name: 'the node of a failed attempt does not send the task again',
    seed: 3,
    promise: 'prompt',
    edits: [core('worker/attempts.ts', "} else if (details?.status === 'waiting') await this.#sender.send(details, { dueInMs })", '}')],
  },
  {
    name: 'a delay counts from the latest event, which may have the time of a faster clock',
    seed: 18,
    promise: 'due',
    edits: [
      {
        file: 'core/src/domain/decide.ts',
        from: 'retryAfterFailure(state.retry, state.failures + 1, command.at, random)',
        to: 'retryAfterFailure(state.retry, state.failures + 1, Math.max(command.at, state.updatedAt), random)',
      },
      core('worker/attempts.ts', 'await this.#sender.send(details, { dueInMs })', 'await this.#sender.send(details)'),
    ],
  },
  {
    name: 'a worker judges by its own clock whether a task is due, whoever sent the message',
    seed: 65,
    promise: 'final',
    edits: [
      {
        file: 'core/src/domain/decide.ts',
        from: 'const { dueVersion, dueBy = command.at } = command',
        to: 'const [dueVersion, dueBy] = [0, command.at]',
      },
    ],
  },
  {
    name: 'a janitor compares the times of other nodes with its own clock',
    seed: 12,
    promise: 'due',
    edits: [core('node/cluster-clocks.ts', 'this.#others.get(nodeId)?.wallClock\n  }', 'this.#ownNow()\n  }')],
  },
  {
    name: 'a janitor judges a row although it has not looked for the clock of its writer',
    seed: 131,
    promise: 'due',
    edits: [
      core('recovery/recovery.ts', 'if (!(await this.#canTellTimes(row))) {', 'if (false) {'),
      // A node that hurries has mostly seen a new node before a janitor looks at the tasks of that.
      core('membership/peers.ts', 'return !this.#isStopped && (', 'return this.#isStopped && ('),
      // A beat of the writer mostly arrives before that, too.
      core('assembly.ts', 'this.node.clocks.noteHeard(beat.node)', ''),
    ],
  },
  {
    name: 'a node that is heard before the registry shows it counts as gone',
    seed: 603_202,
    promise: 'due',
    edits: [core('assembly.ts', 'this.node.clocks.noteHeard(beat.node)', '')],
  },
  {
    name: 'an engine does not take back the messages of a node that it gave up on',
    seed: 1116,
    promise: 'held',
    edits: [
      {
        file: 'memory/src/messaging/queue-consumer.ts',
        from: '      delivery.lose()\n      this.#end(delivery)',
        to: "      if (this.mode === 'serial') delivery.lose()\n      this.#end(delivery)",
      },
    ],
  },
  {
    name: 'a node on other messaging is not noticed',
    seed: 53,
    promise: 'apart',
    edits: [
      core(
        'membership/unheard-nodes.ts',
        'if (sentAt - suspectedAt >= this.graceMs) this.#unheard.add(nodeId)',
        'void [sentAt, nodeId, suspectedAt]',
      ),
    ],
  },
  {
    name: 'a node on other storage is not noticed',
    seed: 38,
    promise: 'apart',
    edits: [core('membership/unlisted-nodes.ts', 'const enough = 3', 'const enough = Infinity')],
  },
  {
    name: 'a beat counts as missing although its node did not receive it either',
    seed: 6,
    promise: 'apart',
    edits: [core('health/probe.ts', '    return this.#shown\n', '    return this.#sent\n')],
  },
  {
    name: 'a beat counts as missing although this node missed its own beats',
    seed: 19,
    promise: 'apart',
    edits: [
      core('health/probe.ts', 'if (number > this.#received + 1) this.#peers.missed()', ''),
      core('health/probe.ts', "probe')\n      this.#peers.missed()\n", "probe')\n"),
    ],
  },
  {
    name: 'a beat counts as missing although the bus had a gap',
    seed: 2,
    promise: 'apart',
    edits: [core('assembly.ts', '    this.#peers.missed()\n', '')],
  },
  {
    name: 'a beat is expected to be listed although its node could not renew its lease',
    seed: 180,
    promise: 'apart',
    edits: [core('membership/beat.ts', "isRenewed: status === 'inProgress' })", 'isRenewed: status !== undefined })')],
  },
  {
    name: 'one read of the registry without a node is enough',
    seed: 113,
    promise: 'apart',
    edits: [core('membership/unlisted-nodes.ts', 'const enough = 3', 'const enough = 1')],
  },
  {
    name: 'a node does not hurry while another one is new to it',
    seed: 100,
    promise: 'apart',
    edits: [core('membership/peers.ts', 'return !this.#isStopped && (', 'return this.#isStopped && (')],
  },
  {
    name: 'the next beat of a node that was there first is expected',
    seed: 23,
    promise: 'apart',
    edits: [core('membership/unheard-nodes.ts', 'isNextExempt: !isNewcomer', 'isNextExempt: false && isNewcomer')],
  },
  {
    name: 'the id of another task is written as it is given',
    seed: 38,
    promise: 'truth',
    edits: [core('commands/submit-options.ts', '  retryOf: checkTaskId,', '  retryOf: (_name, value) => value as TaskId,')],
  },
  {
    name: 'a copy of a task is not checked',
    seed: 20,
    promise: 'truth',
    edits: [core('commands/submissions.ts', '= propertiesOfTask(task)', '= (propertiesOfTask, task)')],
  },
  {
    name: 'what cannot be read back is written',
    seed: 38,
    promise: 'readable',
    edits: [
      core('commands/submit-options.ts', '  retryOf: checkTaskId,', '  retryOf: (_name, value) => value as TaskId,'),
      core('commands/event-sourcing.ts', 'for (const event of decided) checkEvent(event)', 'void checkEvent'),
      { file: 'core/src/codec/fields.ts', from: '  checkFields(what, record as Readonly<Record<string, unknown>>, fields)\n', to: '' },
    ],
  },
  {
    name: 'a worker believes a message whose event id does not fit its event',
    seed: 5,
    promise: 'stored',
    edits: [core('worker/told-task.ts', 'return isOfTask && created.eventId === idOf(created) ?', 'return isOfTask && idOf ?')],
  },
  {
    name: 'a store does not compare the id of the event before',
    seed: 4,
    promise: 'stored',
    edits: [{ file: 'memory/src/storage/event-store.ts', from: ' && isAt(history, expectedVersion, options?.follows)', to: '' }],
  },
  {
    name: 'a claim that another history refused is made again with the old payload',
    seed: 4,
    promise: 'stored',
    edits: [
      core('commands/event-sourcing.ts', "      if (isOtherHistory(aggregate, known)) return done('otherHistory', aggregate, [])\n", ''),
    ],
  },
  {
    name: 'a task runs from any queue in which a message of it arrives',
    seed: 254,
    promise: 'serial',
    edits: [core('worker/claims.ts', '    if (known.details.queue !== queue) return this.#moveToItsQueue(delivery, known.details)\n', '')],
  },
  {
    name: 'the fencing token counts the attempts of a task only',
    seed: 1,
    promise: 'oneNode',
    edits: [
      { file: 'core/src/domain/fence.ts', from: 'Math.max(latest + 1, Math.ceil(at))', to: 'latest + 1 + 0 * at' },
      { file: 'core/src/domain/fence.ts', from: 'Math.max(0, Math.ceil(createdAt))', to: '0 * createdAt' },
    ],
  },
  {
    name: 'a claim takes its fencing token from its own clock, and not from the fastest',
    seed: 182,
    promise: 'fence',
    edits: [
      core('worker/claims.ts', 'fence: this.#node.clocks.fastestNow()', 'fence: this.#node.clock.now()'),
      { file: 'core/src/domain/fence.ts', from: 'Math.max(0, Math.ceil(createdAt))', to: '0 * createdAt' },
    ],
  },
  {
    name: 'a late removal removes the next task of the idempotency key',
    seed: 1013,
    promise: 'final',
    edits: [core('recovery/purging.ts', ', firstEventId: first.eventId', '')],
  },
  {
    name: 'a submit that met a task of its key says that it created the task',
    seed: 1,
    promise: 'key',
    edits: [core('commands/submissions.ts', 'isNew = refused === undefined', 'isNew = true')],
  },
]
