import { emitKeypressEvents } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'

/** A key press. */
export interface Key {
  readonly name?: string
  readonly ctrl?: boolean
  /** The characters of the terminal, which identify a key without a name. */
  readonly sequence?: string
}

export interface FullScreenOptions {
  readonly output: WriteStream
  readonly input: ReadStream
  /** The lines of the screen: never more, and never longer, than the terminal has room for. */
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
 * A screen that is drawn ten times a second if it has changed. It uses the alternate screen of the terminal, so that a resize leaves nothing
 * behind, and restores the terminal however the process ends.
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
    // Before the error is written: it would vanish with the screen.
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
    // Some terminals give 0 at first.
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
