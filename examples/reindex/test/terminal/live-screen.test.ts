import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { afterEach, describe, expect, it } from 'vitest'
import type { ReindexRun } from '../../src/reindex-run.ts'
import { LiveScreen } from '../../src/terminal/live-screen.ts'

/** A terminal that remembers what was written to it. */
class FakeOutput extends EventEmitter {
  columns = 80
  rows = 24
  written = ''

  write(text: string): boolean {
    this.written += text
    return true
  }
}

class FakeInput extends PassThrough {
  readonly isTTY = true
  isRaw = false

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw
    return this
  }
}

const mailboxes = ['inbox', 'sent', 'drafts'].map((name) => ({ mailbox: { name, kind: 'mbox', path: `/mail/${name}` }, rate: 0 }))
const run = { rows: mailboxes, nodeOf: () => '', elapsedMs: 0 } as unknown as ReindexRun

const open = (): { output: FakeOutput; input: FakeInput; screen: LiveScreen; calls: unknown[] } => {
  const output = new FakeOutput()
  const input = new FakeInput()
  const calls: unknown[] = []
  const actions = { cancel: (row: number) => void calls.push(['cancel', row]), stop: () => void calls.push(['stop']) }
  const screen = new LiveScreen({
    run,
    index: 'index',
    output: output as unknown as WriteStream,
    input: input as unknown as ReadStream,
    actions,
  })
  screens.push(screen)
  return { output, input, screen, calls }
}

const screens: LiveScreen[] = []
afterEach(() => {
  for (const screen of screens.splice(0)) screen.close()
})

const clear = '\u001b[?1049h\u001b[?25l'
const restore = '\u001b[?25h\u001b[?1049l'

describe('the live screen', () => {
  it('takes over the terminal, and restores it', () => {
    const before = process.listenerCount('exit')
    const { output, input, screen } = open()
    expect(output.written.startsWith(clear)).toBe(true)
    expect(output.written).toContain('inbox')
    expect(input.isRaw).toBe(true)
    screen.close()
    screen.close()
    expect(output.written.split(restore)).toHaveLength(2)
    expect(output.written.endsWith(restore)).toBe(true)
    expect([input.isRaw, input.isPaused(), output.listenerCount('resize'), process.listenerCount('exit')]).toEqual([false, true, 0, before])
  })

  it('restores the terminal when the process ends', () => {
    const { output } = open()
    const close = process.listeners('exit').at(-1) as () => void
    close()
    expect(output.written.endsWith(restore)).toBe(true)
  })

  it('handles keys: down and up select, c cancels, q and Ctrl-C shut down', () => {
    const { input, calls } = open()
    const press = (keys: string): void => void input.emit('data', Buffer.from(keys))
    for (const keys of ['c', '\u001b[B', 'c', 'j', 'j', 'j', 'c', 'k', '\u001b[A', 'k', 'c', 'q', '\u0003', 'x', 'é']) press(keys)
    expect(calls).toEqual([['cancel', 0], ['cancel', 1], ['cancel', 2], ['cancel', 0], ['stop'], ['stop']])
  })

  it('draws again when the terminal is resized', () => {
    const { output } = open()
    output.written = ''
    output.columns = 30
    output.emit('resize')
    expect(output.written).toContain('inbox')
  })

  it('shows that it shuts down', () => {
    const { output, screen } = open()
    screen.stopping()
    expect(output.written).toContain('Shutting down')
  })
})
