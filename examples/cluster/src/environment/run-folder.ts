import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The folder of one run: its logs, and its index unless the user names another folder. */
export class RunFolder {
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
