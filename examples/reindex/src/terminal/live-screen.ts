import type { ReadStream, WriteStream } from 'node:tty'
import { emitKeypressEvents } from 'node:readline'
import type { ReindexRun } from '../reindex-run.ts'
import { renderTable } from './table.ts'

/** What is pressed, and what it leads to. */
export interface KeyActions {
  readonly cancel: (row: number) => void
  readonly stop: () => void
}

export interface LiveScreenOptions {
  readonly run: ReindexRun
  readonly index: string
  readonly note?: string
  readonly output: WriteStream
  readonly input: ReadStream
  readonly actions: KeyActions
}

interface Key {
  readonly name?: string
  readonly ctrl?: boolean
}

const redrawMs = 100

const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

/**
 * The table in a terminal. It has the other screen of the terminal to itself, so that a resize leaves no rubble behind, and
 * gives back what was there before, on whatever way the process ends.
 */
export class LiveScreen {
  readonly #options: LiveScreenOptions
  readonly #timer: NodeJS.Timeout
  #selected = 0
  #shown = ''
  #isStopping = false
  #isOpen = true

  constructor(options: LiveScreenOptions) {
    const { input, output } = options
    this.#options = options
    output.write(enter)
    output.on('resize', this.#onResize)
    process.once('exit', this.#close)
    if (input.isTTY) {
      emitKeypressEvents(input)
      input.setRawMode(true)
      input.on('keypress', this.#onKey)
      input.resume()
    }
    this.#timer = setInterval(() => this.#draw(), redrawMs)
    this.#draw()
  }

  /** Says that the run is shutting down. */
  stopping(): void {
    this.#isStopping = true
    this.#draw()
  }

  close(): void {
    this.#close()
  }

  readonly #close = (): void => {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { input, output } = this.#options
    clearInterval(this.#timer)
    process.off('exit', this.#close)
    output.off('resize', this.#onResize)
    if (input.isTTY) {
      input.off('keypress', this.#onKey)
      input.setRawMode(false)
      input.pause()
    }
    output.write(leave)
  }

  readonly #onResize = (): void => {
    this.#shown = ''
    this.#draw()
  }

  readonly #onKey = (_: unknown, { name, ctrl = false }: Key): void => {
    const last = this.#options.run.rows.length - 1
    if ((ctrl && name === 'c') || name === 'q') this.#options.actions.stop()
    else if (name === 'up' || name === 'k') this.#selected = Math.max(0, this.#selected - 1)
    else if (name === 'down' || name === 'j') this.#selected = Math.min(last, this.#selected + 1)
    else if (name === 'home' || name === 'g') this.#selected = 0
    else if (name === 'end') this.#selected = last
    else if (name === 'c') this.#options.actions.cancel(this.#selected)
    this.#draw()
  }

  #draw(): void {
    if (!this.#isOpen) return
    const { run, output, index, note } = this.#options
    const lines = renderTable({
      rows: run.rows,
      nodeOf: (row) => run.nodeOf(row),
      selected: this.#selected,
      elapsedMs: run.elapsedMs,
      index,
      ...(note === undefined ? {} : { note }),
      isStopping: this.#isStopping,
      // Some terminals say 0 until they know better.
      columns: output.columns || 80,
      lines: output.rows || 24,
    })
    const screen = home + lines.map((line) => line + clearLine).join('\r\n') + clearBelow
    if (screen !== this.#shown) output.write(screen)
    this.#shown = screen
  }
}
