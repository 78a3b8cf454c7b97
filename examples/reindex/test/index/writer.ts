// A process that opens the index after a message, writes to it, and reports the outcome.
import { once } from 'node:events'
import process from 'node:process'
import { openIndex } from '../../src/index/open-index.ts'

const [folder = '', name = '', messages = ''] = process.argv.slice(2)
const mail = { subject: name, sender: '', recipients: '', text: '', attachments: [], defects: [] }

const go = once(process, 'message')
process.send?.('ready')
await go
try {
  using index = openIndex(folder)
  const pass = index.begin({ name, kind: 'mbox', path: `/mail/${name}` })
  for (let at = 0; at < Number(messages); at++) index.write(pass, [{ key: String(at), place: `byte ${at}`, flags: '', mail }], [])
  process.send?.('written')
} catch (error) {
  process.send?.(error instanceof Error ? error.message : String(error))
}
process.disconnect()
