// A process of its own that is about to write to a database that is not in WAL mode yet: as one that makes the index is, for a moment.
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
