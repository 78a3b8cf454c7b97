import { bounded, TimedOut } from './deadlines.ts'
import { HarnessFailure } from './failure.ts'
import type { Faults, Subject } from './harness.ts'

/** Hears of the steps of a rule. */
export interface StepListener {
  onStep?(step: string, boundMs: number, awaited?: () => readonly string[]): void
  /** A step of the harness did not end in its time. */
  onHang?(step: string): void
}

/**
 * Runs a step of the harness within its time.
 *
 * @throws {@link HarnessFailure}.
 */
export const byHarness = async <T>(step: string, boundMs: number, listener: StepListener, work: () => T | Promise<T>): Promise<T> => {
  listener.onStep?.(step, boundMs)
  try {
    return await bounded(boundMs, `"${step}" of the harness ends`, (async () => work())())
  } catch (cause) {
    if (cause instanceof TimedOut) listener.onHang?.(step)
    throw new HarnessFailure(step, cause)
  }
}

/** The hooks of a subject, for a rule. */
export type Hooks<Port> = Omit<Subject<Port>, 'peer' | 'faults' | typeof Symbol.asyncDispose>

/** Runs one hook. */
type RunHook = <T>(step: string, work: () => Promise<T>) => Promise<T>

/** The hooks of the subject, each bounded, and bound to the subject in case it is an instance of a class. */
export const hooksOf = <Port>(subject: Subject<Port>, run: RunHook): Hooks<Port> => {
  const { port, inject, injectProgress, kill, stallClient, openRefused, rowsRead, inspect } = subject
  return {
    port,
    ...(inject && { inject: (bytes, where) => run('inject', () => inject.call(subject, bytes, where)) }),
    ...(injectProgress && { injectProgress: (bytes, taskId) => run('injectProgress', () => injectProgress.call(subject, bytes, taskId)) }),
    ...(kill && { kill: (client) => run('kill', () => kill.call(subject, client)) }),
    ...(stallClient && {
      stallClient: async (client) => ended('stallClient', run, await run('stallClient', () => stallClient.call(subject, client))),
    }),
    // Its failure is what a rule looks at.
    ...(openRefused && { openRefused: openRefused.bind(subject) }),
    ...(rowsRead && { rowsRead: rowsRead.bind(subject) }),
    ...(inspect && { inspect: inspect.bind(subject) }),
  }
}

/** The faults of the subject, each bounded. */
export const faultsOf = ({ faults = {} }: Pick<Subject<unknown>, 'faults'>, run: RunHook): Required<Faults> => {
  const { cut, refuse, stall, silence, loseReplies, restart } = faults
  const lasting = (step: string, begin: () => Promise<() => Promise<void>>) => async () =>
    ended(step, run, await run(step, () => begin.call(faults)))
  return {
    ...(cut && { cut: () => run('cut', () => cut.call(faults)) }),
    ...(refuse && { refuse: lasting('refuse', refuse) }),
    ...(stall && { stall: lasting('stall', stall) }),
    ...(silence && { silence: () => run('silence', () => silence.call(faults)) }),
    ...(loseReplies && { loseReplies: lasting('loseReplies', loseReplies) }),
    ...(restart && { restart: () => run('restart', () => restart.call(faults)) }),
  } as Required<Faults>
}

/** Bounds the end of a fault that lasts. */
const ended =
  (step: string, run: RunHook, end: () => Promise<void>): (() => Promise<void>) =>
  () =>
    run(`the end of ${step}`, end)
