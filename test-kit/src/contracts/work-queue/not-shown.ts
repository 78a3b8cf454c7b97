import type { Faults } from '../../framework/harness.ts'
import type { StagedRule } from './stage.ts'

type NotShown = NonNullable<StagedRule['notShown']>

const hooks = { kill: 'kill a client', stallClient: 'stall a client', inject: 'inject bytes' } as const

/** Why a rule cannot be tried: its subject lacks this hook. */
export const withoutHook =
  (hook: keyof typeof hooks): NotShown =>
  (subject) =>
    subject[hook] === undefined ? `the harness has no hook to ${hooks[hook]}` : undefined

/** Why a rule cannot be tried: its subject lacks this fault. */
export const withoutFault =
  (fault: keyof Faults): NotShown =>
  ({ faults }) =>
    faults?.[fault] === undefined ? `the harness has no fault "${fault}"` : undefined
