import type { CheckedOptions, ChecksOf, OptionHints } from '../ports/shared/check-options.ts'
import { anyValue, checkOptions } from '../ports/shared/check-options.ts'
import { checkClock, checkFunction, checkLogger, checkMs, checkText, checkWhole, hasMethods, wrongOption } from '../ports/shared/checks.ts'
import type { TaskRegistry } from '../tasks/task-registry.ts'
import { taskRegistry } from '../tasks/task-registry.ts'
import { checkMessaging, checkStorage } from './node/default-adapters.ts'
import type { LeaseOptions, LeaseSettings } from './node/lease.ts'
import { leaseSettings } from './node/lease.ts'
import type { TaskManagerOptions } from './options.ts'
import type { JanitorOptions, JanitorSettings, RetentionOptions } from './recovery/settings.ts'
import { janitorSettings } from './recovery/settings.ts'

/** Also a registry of another copy of this package. */
const isRegistry = (value: unknown): value is TaskRegistry => hasMethods(value, ['register', 'get', 'types', 'queues'])

/** An adapter, open or still opening. What is still opening is checked when it is open. */
const unlessOpening = <Adapter>(
  name: string,
  value: unknown,
  check: (name: string, value: unknown) => Adapter,
): Adapter | Promise<Adapter> => (hasMethods(value, ['then']) ? (value as Promise<Adapter>) : check(name, value))

const managerChecks = {
  tasks: (_name, value) => (isRegistry(value) ? value : taskRegistry(value as readonly never[])),
  storage: (name, value) => unlessOpening(name, value, checkStorage),
  messaging: (name, value) => unlessOpening(name, value, checkMessaging),
  // Its queues depend on the tasks: checked with them.
  worker: anyValue,
  name: (name, value) => checkText(name, value, 100),
  logger: checkLogger,
  clock: checkClock,
  random: (name, value): (() => number) => {
    checkFunction(name, value)
    return value as () => number
  },
  maxPayloadBytes: (name, value) => checkWhole(name, value, 1, 2 ** 30),
  lease: (_name, value) => leaseSettings(value as LeaseOptions),
  janitor: anyValue,
  retention: anyValue,
  callTimeoutMs: checkMs,
  commandTimeoutMs: checkMs,
} satisfies ChecksOf<TaskManagerOptions>

const hints: OptionHints = {
  slots: 'give worker: { slots }',
  queues: 'give worker: { queues }',
  concurrency: 'give worker: { slots }',
  deadLetters: 'of a memory, give storage: memory.storage() and messaging: memory.messaging()',
}

/** The options of a manager, checked. The worker's are checked with the tasks. */
export interface CheckedManagerOptions extends Omit<CheckedOptions<typeof managerChecks>, 'tasks' | 'lease' | 'janitor' | 'retention'> {
  readonly tasks: TaskRegistry
  readonly lease: LeaseSettings
  readonly janitor: JanitorSettings
}

/** @throws `MISUSE` if an option of `createTaskManager` is wrong. */
export const managerOptions = (options: TaskManagerOptions): CheckedManagerOptions => {
  const {
    tasks,
    lease = leaseSettings(),
    janitor,
    retention,
    ...checked
  } = checkOptions('createTaskManager', options, managerChecks, hints)
  if (tasks === undefined) throw wrongOption('tasks', undefined, 'an array of tasks')
  return {
    ...checked,
    tasks,
    lease,
    janitor: janitorSettings(janitor as JanitorOptions | undefined, retention as RetentionOptions | undefined),
  }
}
