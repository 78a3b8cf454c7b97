/**
 * A process that survives two outages and closes its storage: it then has to exit by itself. Its argument is the
 * options of the storage.
 */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { cassandraStorage } from '@taskledger/cassandra'
import type { TaskStorage } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { tcpProxy } from '@taskledger/test-kit'
import type { OwnStorageOptions } from './cassandra.harness.ts'
import { oneId } from './samples.ts'

const options = JSON.parse(process.argv[2] ?? '') as OwnStorageOptions
const [host = '', port = ''] = (options.contactPoints[0] ?? '').split(':')

const isAnswered = (storage: TaskStorage): Promise<boolean> =>
  storage.events.read(oneId()).then(
    () => true,
    () => false,
  )

const proxy = await tcpProxy({ host, port: Number(port) })
const storage = await cassandraStorage({ ...options, contactPoints: [`${proxy.host}:${proxy.port}`], logger: silentLogger })
for (let outages = 0; outages < 2; outages++) {
  const restore = await proxy.faults.refuse()
  while (await isAnswered(storage)) await sleep(50)
  await restore()
  while (!(await isAnswered(storage))) await sleep(50)
}
await storage.close()
await proxy[Symbol.asyncDispose]()
