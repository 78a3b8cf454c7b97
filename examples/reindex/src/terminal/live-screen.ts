import type { ReadStream, WriteStream } from 'node:tty'
import type { ReindexRun } from '../reindex-run.ts'
import { FullScreen } from './full-screen.ts'
import type { Key } from './full-screen.ts'
import { renderTable } from './table.ts'

/** The actions of keys. */
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

/** The table in a terminal. */
export class LiveScreen {
  readonly #options: LiveScreenOptions
  readonly #screen: FullScreen
  #selected = 0
  #isStopping = false

  constructor(options: LiveScreenOptions) {
    const { input, output } = options
    this.#options = options
    this.#screen = new FullScreen({
      input,
      output,
      render: (columns, lines) => this.#render(columns, lines),
      onKey: (key) => this.#press(key),
    })
  }

  /** Shows that the run is shutting down. */
  stopping(): void {
    this.#isStopping = true
    this.#screen.draw()
  }

  close(): void {
    this.#screen.close()
  }

  #press({ name, ctrl = false }: Key): void {
    const last = this.#options.run.rows.length - 1
    if ((ctrl && name === 'c') || name === 'q') this.#options.actions.stop()
    else if (name === 'up' || name === 'k') this.#selected = Math.max(0, this.#selected - 1)
    else if (name === 'down' || name === 'j') this.#selected = Math.min(last, this.#selected + 1)
    else if (name === 'home' || name === 'g') this.#selected = 0
    else if (name === 'end') this.#selected = last
    else if (name === 'c') this.#options.actions.cancel(this.#selected)
  }

  #render(columns: number, lines: number): readonly string[] {
    const { run, index, note } = this.#options
    return renderTable({
      rows: run.rows,
      nodeOf: (row) => run.nodeOf(row),
      selected: this.#selected,
      elapsedMs: run.elapsedMs,
      index,
      ...(note === undefined ? {} : { note }),
      isStopping: this.#isStopping,
      columns,
      lines,
    })
  }
}
