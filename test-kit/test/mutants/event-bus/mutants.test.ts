import { decodeNotice, encodeNotice } from '@taskledger/core/codec'
import type { CallOptions, EventBus, EventBusCapabilities, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import { closedError } from '@taskledger/core/ports'
import { eventBusContract, notShownReasons } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import type { Mutant } from '../run-mutant.ts'
import { describeMutants, everyRuleIsCaught, isShared } from '../run-mutant.ts'
import { networkMutants } from './network.ts'

type Listener = (notice: TaskNotice) => void

/** The clients of a plain bus, and its notices. */
class Air {
  readonly clients = new Set<PlainBus>()
  /** All notices that were ever published. */
  readonly said: string[] = []
}

/** A correct bus in small steps. A mutant gets one step wrong. */
class PlainBus implements EventBus {
  readonly capabilities: EventBusCapabilities = { crossesProcesses: true }
  readonly air: Air
  listeners: readonly { readonly listener: Listener }[] = []
  gapListeners: readonly { readonly listener: () => void }[] = []
  closed = false

  constructor(air: Air) {
    this.air = air
    air.clients.add(this)
  }

  async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
    this.enter(options)
    this.say(notices.map((notice) => this.encode(notice)))
  }

  subscribe(listener: Listener): Unsubscribe {
    this.enter()
    const entry = { listener }
    this.listeners = [...this.listeners, entry]
    return () => this.unsubscribe(entry)
  }

  onGap(listener: () => void): Unsubscribe {
    this.enter()
    const entry = { listener }
    this.gapListeners = [...this.gapListeners, entry]
    return () => {
      this.gapListeners = this.gapListeners.filter((each) => each !== entry)
    }
  }

  async close(): Promise<void> {
    this.closed = true
    this.listeners = []
    this.air.clients.delete(this)
  }

  enter(options?: CallOptions): void {
    if (this.closed) throw closedError('the plain bus')
    options?.signal?.throwIfAborted()
  }

  unsubscribe(entry: { readonly listener: Listener }): void {
    this.listeners = this.listeners.filter((each) => each !== entry)
  }

  encode(notice: TaskNotice): string {
    return encodeNotice(notice)
  }

  say(texts: readonly string[]): void {
    this.air.said.push(...texts)
    for (const text of texts) for (const client of this.air.clients) if (this.reaches(client)) client.carry(text)
  }

  reaches(_client: PlainBus): boolean {
    return true
  }

  carry(text: string): void {
    setImmediate(() => this.hear(text))
  }

  hear(text: string): void {
    const notice = this.decode(text)
    if (notice !== undefined) for (const { listener } of this.listeners) this.tell(listener, text, notice)
  }

  decode(text: string): TaskNotice | undefined {
    try {
      return decodeNotice(text)
    } catch {
      return undefined
    }
  }

  tell(listener: Listener, text: string, _notice: TaskNotice): void {
    try {
      listener(decodeNotice(text))
    } catch {
      // The listener of the rule throws on purpose.
    }
  }
}

const mutant = (name: string, fails: readonly string[], Bus: new (air: Air) => PlainBus): Mutant<EventBus> => ({
  name,
  fails,
  // The rules about faults have mutants behind a network.
  only: ['EB-1', 'EB-2.2', 'EB-3', 'EB-T.1', 'EB-T.2', 'EB-T.3'],
  contract: eventBusContract({
    name: 'mutant',
    timing: { deadlineMs: 3_000 },
    open: async () => {
      const air = new Air()
      return {
        port: new Bus(air),
        peer: async () => new Bus(air),
        inject: async (bytes) => [...air.clients].forEach((client) => client.carry(new TextDecoder().decode(bytes))),
      }
    },
  }),
})

const mutants: readonly Mutant<EventBus>[] = [
  mutant('is right: the base of the mutants', [], PlainBus),
  mutant(
    'does not reach the sender',
    ['EB-1.1', 'EB-1.2', 'EB-1.3', 'EB-1.4', 'EB-1.5', 'EB-1.6', 'EB-2.2', 'EB-3.1', 'EB-3.2', 'EB-3.3'],
    class extends PlainBus {
      override reaches(client: PlainBus): boolean {
        return client !== this
      }
    },
  ),
  mutant(
    'reaches only the sender',
    ['EB-1.1', 'EB-1.2', 'EB-1.3', 'EB-1.4', 'EB-1.5', 'EB-1.6', 'EB-2.2', 'EB-3.1', 'EB-3.2'],
    class extends PlainBus {
      override reaches(client: PlainBus): boolean {
        return client === this
      }
    },
  ),
  mutant(
    'gives each notice to one client',
    ['EB-1.1', 'EB-1.2', 'EB-1.3', 'EB-1.4', 'EB-1.5', 'EB-1.6', 'EB-2.2', 'EB-3.1', 'EB-3.2'],
    class extends PlainBus {
      override say(texts: readonly string[]): void {
        for (const text of texts) {
          const [client] = this.air.clients
          if (client === undefined) return
          this.air.clients.delete(client)
          this.air.clients.add(client)
          client.carry(text)
        }
      }
    },
  ),
  mutant(
    'delivers every notice twice',
    ['EB-1.1', 'EB-1.2', 'EB-1.3', 'EB-1.4', 'EB-1.5', 'EB-1.6', 'EB-2.2', 'EB-3.1', 'EB-3.2', 'EB-3.3'],
    class extends PlainBus {
      override carry(text: string): void {
        super.carry(text)
        super.carry(text)
      }
    },
  ),
  {
    ...mutant(
      'delivers every notice again a moment later',
      ['EB-1.1', 'EB-1.5'],
      class extends PlainBus {
        override carry(text: string): void {
          super.carry(text)
          setTimeout(() => super.carry(text), 15)
        }
      },
    ),
    // A rule that waits for no absence may be over before the second delivery.
    only: ['EB-1.1', 'EB-1.5'],
  },
  mutant(
    'lets notices overtake one another',
    ['EB-1.2', 'EB-3.2'],
    class extends PlainBus {
      readonly #waiting: string[] = []

      override carry(text: string): void {
        this.#waiting.push(text)
        setImmediate(() => {
          // The newest of the waiting notices first: with several, the order changes.
          for (const each of this.#waiting.splice(0).reverse()) this.hear(each)
        })
      }
    },
  ),
  mutant(
    'stops at a listener that throws',
    ['EB-1.3'],
    class extends PlainBus {
      override hear(text: string): void {
        try {
          super.hear(text)
        } catch {
          // The other listeners hear nothing.
        }
      }

      override tell(listener: Listener, text: string): void {
        listener(decodeNotice(text))
      }
    },
  ),
  mutant(
    'removes a listener that throws',
    ['EB-1.3'],
    class extends PlainBus {
      override tell(listener: Listener, text: string): void {
        try {
          listener(decodeNotice(text))
        } catch {
          this.listeners = this.listeners.filter((each) => each.listener !== listener)
        }
      }
    },
  ),
  mutant(
    'calls listeners within publish, and lets them throw',
    ['EB-1.3'],
    class extends PlainBus {
      override carry(text: string): void {
        this.hear(text)
      }

      override tell(listener: Listener, text: string): void {
        listener(decodeNotice(text))
      }
    },
  ),
  mutant(
    'sends late listeners all earlier notices',
    ['EB-1.4'],
    class extends PlainBus {
      override subscribe(listener: Listener): Unsubscribe {
        const unsubscribe = super.subscribe(listener)
        const said = [...this.air.said]
        setImmediate(() => said.forEach((text) => this.tell(listener, text, decodeNotice(text))))
        return unsubscribe
      }
    },
  ),
  mutant(
    'goes on after unsubscribing',
    ['EB-1.5'],
    class extends PlainBus {
      override unsubscribe(): void {}
    },
  ),
  mutant(
    'removes the last listener, whichever unsubscribes',
    ['EB-1.5'],
    class extends PlainBus {
      override unsubscribe(): void {
        this.listeners = this.listeners.slice(0, -1)
      }
    },
  ),
  mutant(
    'skips a listener when the one before unsubscribes',
    ['EB-1.5'],
    class extends PlainBus {
      override hear(text: string): void {
        const notice = this.decode(text)
        if (notice === undefined) return
        for (let index = 0; index < this.listeners.length; index++) {
          const entry = this.listeners[index]
          if (entry !== undefined) this.tell(entry.listener, text, notice)
        }
      }
    },
  ),
  mutant(
    'keeps calling the listeners of a closed client',
    ['EB-1.6'],
    class extends PlainBus {
      override async close(): Promise<void> {
        this.closed = true
      }
    },
  ),
  mutant(
    'accepts listeners on a closed client',
    ['EB-1.6'],
    class extends PlainBus {
      override subscribe(listener: Listener): Unsubscribe {
        return this.closed ? () => {} : super.subscribe(listener)
      }
    },
  ),
  mutant(
    'delivers malformed messages',
    ['EB-2.2'],
    class extends PlainBus {
      override decode(text: string): TaskNotice {
        return super.decode(text) ?? ({ taskId: text } as TaskNotice)
      }

      override tell(listener: Listener, text: string, notice: TaskNotice): void {
        if (super.decode(text) === undefined) listener(notice)
        else super.tell(listener, text, notice)
      }
    },
  ),
  mutant(
    'stops at a malformed message',
    ['EB-2.2'],
    class extends PlainBus {
      override decode(text: string): TaskNotice | undefined {
        const notice = super.decode(text)
        if (notice === undefined) this.listeners = []
        return notice
      }
    },
  ),
  mutant(
    'writes one byte for each character',
    ['EB-3.1'],
    class extends PlainBus {
      override encode(notice: TaskNotice): string {
        return Buffer.from(super.encode(notice), 'latin1').toString('latin1')
      }
    },
  ),
  mutant(
    'drops all but the first 1,000 notices of a batch',
    ['EB-3.2'],
    class extends PlainBus {
      override say(texts: readonly string[]): void {
        super.say(texts.slice(0, 1_000))
      }
    },
  ),
  mutant(
    'keeps one notice for each task',
    ['EB-3.2'],
    class extends PlainBus {
      override async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
        await super.publish([...new Map(notices.map((notice) => [notice.taskId, notice])).values()], options)
      }
    },
  ),
  mutant(
    'fails at an empty batch',
    ['EB-3.2'],
    class extends PlainBus {
      override async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
        if (notices.length === 0) throw new RangeError('nothing to publish')
        await super.publish(notices, options)
      }
    },
  ),
  mutant(
    'gives all listeners the same object',
    ['EB-3.3'],
    class extends PlainBus {
      override tell(listener: Listener, _text: string, notice: TaskNotice): void {
        super.tell(() => listener(notice), encodeNotice(notice), notice)
      }
    },
  ),
  mutant(
    'goes on after close',
    ['EB-1.6', 'EB-T.1'],
    class extends PlainBus {
      override enter(options?: CallOptions): void {
        options?.signal?.throwIfAborted()
      }
    },
  ),
  mutant(
    'ignores signals',
    ['EB-T.2'],
    class extends PlainBus {
      override enter(): void {
        super.enter()
      }
    },
  ),
  mutant(
    'cannot be closed twice',
    ['EB-T.3'],
    class extends PlainBus {
      override async close(): Promise<void> {
        if (this.closed) throw new Error('closed already')
        await super.close()
      }
    },
  ),
]

// Most of them wait for a deadline, so they run side by side.
describe.concurrent('mutants', () => {
  describeMutants('event bus', mutants)
  describeMutants('event bus behind a network', networkMutants)
})
everyRuleIsCaught([...mutants, ...networkMutants])

it('every rule can be tried on one of the two harnesses', async () => {
  const reasons = await Promise.all(
    [mutants, networkMutants].flatMap(([base]) => (base === undefined ? [] : notShownReasons(base.contract))),
  )
  const [plain, distant] = reasons
  expect([...(plain ?? [])].filter(([id]) => distant?.has(id) !== false && !isShared(id))).toEqual([])
})
