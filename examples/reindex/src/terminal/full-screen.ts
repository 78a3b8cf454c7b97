import { emitKeypressEvents } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'

/** What was pressed. */
export interface Key {
  readonly name?: string
  readonly ctrl?: boolean
  /** What the terminal sent: tells apart what has no name. */
  readonly sequence?: string
}

export interface FullScreenOptions {
  readonly output: WriteStream
  readonly input: ReadStream
  /** The lines to show: never more, and never longer, than there is room for. */
  readonly render: (columns: number, lines: number) => readonly string[]
  readonly onKey: (key: Key) => void
}

const redrawMs = 100

const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

/**
 * A screen that is drawn anew ten times a second, where something changed. It has the other screen of the terminal to itself,
 * so that a resize leaves no rubble behind, and gives back what was there before, on whatever way the process ends.
 */
export class FullScreen {
  readonly #options: FullScreenOptions
  readonly #timer: NodeJS.Timeout
  #shown = ''
  #isOpen = true

  constructor(options: FullScreenOptions) {
    const { input, output } = options
    this.#options = options
    output.write(enter)
    output.on('resize', this.#onResize)
    process.once('exit', this.#close)
    // Before the error is written, or it would vanish with the screen.
    process.once('uncaughtExceptionMonitor', this.#close)
    if (input.isTTY) {
      emitKeypressEvents(input)
      input.setRawMode(true)
      input.on('keypress', this.#onKey)
      input.resume()
    }
    this.#timer = setInterval(() => this.draw(), redrawMs)
    this.draw()
  }

  draw(): void {
    if (!this.#isOpen) return
    const { output, render } = this.#options
    // Some terminals say 0 until they know better.
    const lines = render(output.columns || 80, output.rows || 24)
    const screen = home + lines.map((line) => line + clearLine).join('\r\n') + clearBelow
    if (screen !== this.#shown) output.write(screen)
    this.#shown = screen
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
    process.off('uncaughtExceptionMonitor', this.#close)
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
    this.draw()
  }

  readonly #onKey = (_: unknown, key: Key): void => {
    this.#options.onKey(key)
    this.draw()
  }
}
