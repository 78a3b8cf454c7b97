import type { TaskNotice } from '@taskledger/core/ports'
import type { Breakage, Mutant } from './broken-harness.ts'
import { stateless } from './broken-harness.ts'

/** A bus that delivers only some notices to a client. `own` are the nodes of that client, known by their publications. */
const carrying =
  (isCarried: (notice: TaskNotice, own: ReadonlySet<string>) => boolean): Breakage =>
  () =>
  () => {
    const own = new Set<string>()
    return {
      'bus.publish': (next, notices, options) => {
        for (const { node } of notices) own.add(node)
        return next(notices, options)
      },
      'inbound.notice': (next, notice) => {
        if (isCarried(notice, own)) next(notice)
      },
    }
  }

export const buses: readonly Mutant[] = [
  {
    name: 'a bus that carries nothing',
    breakage: carrying(() => false),
    fails: ['TM-1.4', 'TM-1.8', 'TM-2.1', 'TM-2.4', 'TM-2.8', 'TM-3.3', 'TM-3.7', 'TM-3.10', 'TM-3.11', 'TM-3.15'],
    holds: ['TM-1.1', 'TM-3.8', 'TM-4.11', 'TM-5.4'],
  },
  {
    name: 'a bus that carries everything twice',
    breakage: stateless({ 'bus.publish': (next, notices, options) => next([...notices, ...notices], options) }),
    fails: ['TM-3.7'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.10', 'TM-3.15'],
  },
  {
    name: 'a bus that does not leave the node',
    breakage: carrying(({ node }, own) => own.has(node)),
    fails: ['TM-1.15', 'TM-3.1', 'TM-3.3', 'TM-3.7', 'TM-3.10', 'TM-3.11', 'TM-3.12', 'TM-3.15'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.13'],
  },
  {
    name: 'a bus that leaves out the sender',
    breakage: carrying(({ node }, own) => !own.has(node)),
    fails: ['TM-1.8', 'TM-2.1', 'TM-2.2', 'TM-2.9', 'TM-3.7', 'TM-3.10', 'TM-6.10'],
    holds: ['TM-3.1', 'TM-3.3'],
  },
  {
    name: 'a bus that carries no cancel requests',
    breakage: carrying(({ type }) => type !== 'TaskCancelRequested'),
    fails: ['TM-2.1', 'TM-2.2', 'TM-2.6', 'TM-2.7', 'TM-2.10', 'TM-2.11', 'TM-3.2', 'TM-3.3', 'TM-3.25', 'TM-5.12'],
    holds: ['TM-2.3', 'TM-2.4', 'TM-3.4', 'TM-3.10'],
  },
  {
    name: 'a bus that carries no progress',
    breakage: carrying(({ type }) => type !== 'TaskProgress'),
    fails: ['TM-1.10'],
    holds: ['TM-1.11', 'TM-1.12'],
  },
  {
    name: 'a bus that stops at what it cannot decode',
    breakage:
      ({ injected }) =>
      () => ({
        'inbound.notice': (next, notice) => {
          if (!injected.has('bus')) next(notice)
        },
      }),
    fails: ['TM-3.25'],
    holds: ['TM-3.3', 'TM-3.10'],
  },
]
