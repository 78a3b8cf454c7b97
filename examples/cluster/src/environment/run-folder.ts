import { createWriteStream, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
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
    // Opened now: a run that ends at once removes the folder before a stream would have opened the file.
    this.log = createWriteStream('', { fd: openSync(join(this.logs, 'front-end.log'), 'a') })
  }

  remove(): void {
    this.log.end()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
