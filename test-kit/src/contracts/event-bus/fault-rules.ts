import { setTimeout as sleep } from 'node:timers/promises'
import type { EventBus, TaskNotice } from '@taskledger/core/ports'
import type { Subject } from '../../framework/harness.ts'
import type { Rule } from '../../framework/rule.ts'
import { hearOneAnother, watch } from './gaps.ts'
import { expectHeard, hasHeard, lastNotice, listenOn, noticesWith } from './hearing.ts'

const utf8 = new TextEncoder()

/** Bytes that no codec writes. */
const junk: readonly Uint8Array[] = [
  new Uint8Array(),
  new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc3]),
  ...['not JSON', 'null', '[]', '"text"', '{}', '{"v":1}', '{"v":1,"taskId":"x","version":"1","type":1}', '[{}]', '{"v":1,'].map((text) =>
    utf8.encode(text),
  ),
]

/**
 * How many batches a client misses while it stands still, and the pause between two of them: together longer than most engines wait for a
 * sign of life.
 */
const [batches, pauseMs] = [10, 300]

const crossesNone = ({ port }: Subject<EventBus>): string | undefined =>
  port.capabilities.crossesProcesses ? undefined : 'the capability crossesProcesses is false: such a bus has no network'

export const faultRules: readonly Rule<EventBus>[] = [
  {
    id: 'EB-2.1',
    kind: 'fault',
    title: 'a client that tells a gap listens already: it hears a notice that is published as soon as the gap is told',
    hint: 'declare and consume first, then call the gap listeners: a client that reads before it listens misses the notices in between',
    notShown: (subject) => crossesNone(subject) ?? (subject.faults?.cut === undefined ? 'the harness has no fault "cut"' : undefined),
    run: async (context) => {
      const { port, peer, faults, waitUntil } = context
      const watched = watch([port, await peer()])
      await lastNotice(
        context,
        port,
        watched.map(({ ear }) => ear),
      )
      for (let round = 1; round <= 2; round++) {
        const before = watched.map(({ gaps }) => gaps)
        const step = `after cut ${round} of 2`
        await faults.cut()
        await waitUntil(`both clients tell their gap listeners of the gap, ${step}`, () =>
          watched.every(({ gaps }, index) => gaps > (before[index] ?? 0)),
        )
        for (const { client } of watched) await hearOneAnother(context, client, watched, step)
      }
    },
  },
  {
    id: 'EB-2.2',
    kind: 'plain',
    title: 'malformed messages reach no listener and do not stop the bus',
    hint: 'decode in a try; skip and log a message that cannot be decoded',
    notShown: ({ inject }) => (inject === undefined ? 'the harness has no hook to inject bytes' : undefined),
    run: async (context) => {
      const { port, peer, inject } = context
      const ears = [listenOn(port), listenOn(await peer())]
      const first = await lastNotice(context, port, ears)
      for (const bytes of junk) await inject?.(bytes, '')
      const last = await lastNotice(context, port, ears)
      expectHeard(ears, [first, last])
    },
  },
  {
    id: 'EB-2.3',
    kind: 'fault',
    title: 'a client that stood still hears again, and is told of a gap if it missed a notice; meanwhile the others hear every notice',
    hint: 'an engine gives up a client that does not read, or drops what waits for it: notice that, and tell the gap once you listen again',
    notShown: (subject) => crossesNone(subject) ?? (subject.stallClient === undefined ? 'the harness has no "stallClient"' : undefined),
    run: async (context) => {
      const { port, peer, stallClient, random, waitUntil, within, observe } = context
      const others = [await peer(), await peer()]
      const [publisher = port] = others
      const [still, ...moving] = watch([port, ...others])
      if (still === undefined) return
      await lastNotice(
        context,
        publisher,
        [still, ...moving].map(({ ear }) => ear),
      )
      const missed: { readonly notice: TaskNotice; readonly gaps: number }[] = []
      const wake = await stallClient?.(port)
      try {
        for (let batch = 1; batch <= batches; batch++) {
          const notices = noticesWith(random, 5)
          missed.push(...notices.map((notice) => ({ notice, gaps: still.gaps })))
          await within(`batch ${batch} of ${batches} is published while another client stands still`, publisher.publish(notices))
          await sleep(pauseMs)
        }
        await waitUntil(`the other clients hear all ${missed.length} notices while one client stands still`, () =>
          moving.every(({ ear }) => missed.every(({ notice }) => hasHeard(ear, notice))),
        )
      } finally {
        await wake?.()
      }
      await hearOneAnother(context, publisher, [still], 'after the client stood still')
      const untold = (): number => missed.filter(({ notice, gaps }) => !hasHeard(still.ear, notice) && still.gaps === gaps).length
      observe({ missed: missed.length, untold: untold(), gaps: still.gaps })
      await waitUntil(
        `the client that stood still has heard each of ${missed.length} notices of that time, or told a gap after it`,
        () => untold() === 0,
      )
    },
  },
]
