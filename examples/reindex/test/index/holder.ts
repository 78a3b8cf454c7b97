// A process that holds the lock of a database that is not in WAL mode yet, as a process that creates the index does for a moment.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'

const [file = ''] = process.argv.slice(2)
const database = new DatabaseSync(file)
database.exec('BEGIN IMMEDIATE')
process.send?.('held')
await sleep(200)
database.exec('COMMIT')
database.close()
process.disconnect()
