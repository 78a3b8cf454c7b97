/** A program with a server that writes all the time. Prints its folder and the id of the server, and ends as its argument says. */
import { join } from 'node:path'
import process from 'node:process'
import { openDataFolder, removeDataFolder } from '../../src/process/data-folder.ts'
import { exitOnSignals, interruption } from '../../src/process/interruption.ts'
import { OwnProcess } from '../../src/process/own-process.ts'

const folder = await openDataFolder('writer')
const writing = 'while mkdir -p data/$i; do echo $i >data/$i/file; i=$((i+1)); done'
const own = new OwnProcess({
  what: 'Writer',
  command: 'sh',
  // A child of the server writes, as with a broker.
  args: ['-c', `i=0; (${writing}) & wait`],
  env: process.env,
  cwd: folder,
  logFile: join(folder, 'log'),
  probe: () => Promise.resolve(),
  startTimeoutMs: 10_000,
})
await own.start()
const awake = setInterval(() => {}, 1_000)
if (process.argv[2] === 'at once') exitOnSignals()
else {
  const { argv } = process
  interruption().addEventListener('abort', () => {
    // Never ends by itself: it takes the second signal.
    if (argv[2] === 'stuck') return console.log('stopping')
    void own
      .kill()
      .then(() => removeDataFolder(folder))
      .then(() => clearInterval(awake))
  })
}
console.log(JSON.stringify({ folder, pid: own.pid }))
