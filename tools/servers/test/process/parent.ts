/** Starts a process, prints its id, and stays: a test then ends this process. */
import { join } from 'node:path'
import process from 'node:process'
import { OwnProcess } from '../../src/process/own-process.ts'

const folder = process.argv[2] ?? '.'
const own = new OwnProcess({
  what: 'Sleep',
  command: 'sleep',
  args: ['600'],
  env: process.env,
  cwd: folder,
  logFile: join(folder, 'log'),
  probe: () => Promise.resolve(),
  startTimeoutMs: 1_000,
})
await own.start()
console.log(own.pid)
setInterval(() => {}, 1_000)
