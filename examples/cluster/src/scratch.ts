import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of one run alone: its logs, and its index where nobody named another. */
export class Scratch {
  readonly folder = mkdtempSync(join(tmpdir(), 'taskledger-cluster-'))
  readonly logs = join(this.folder, 'logs')
  readonly index = join(this.folder, 'index')
  /** The log of the front-end. */
  readonly log: WriteStream

  constructor() {
    mkdirSync(this.logs)
    this.log = createWriteStream(join(this.logs, 'front-end.log'))
  }

  remove(): void {
    this.log.end()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
