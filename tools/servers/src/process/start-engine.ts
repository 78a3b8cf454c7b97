import type { EngineProcess, Say } from '../engine.ts'
import { removeDataFolder } from './data-folder.ts'
import type { OwnProcess } from './own-process.ts'

export interface StartEngineOptions<Endpoint> {
  readonly say: Say
  /** `Cassandra 5.0.8 on 127.0.0.1:9042` */
  readonly title: string
  /** How long a start usually takes, in seconds. */
  readonly usualSeconds: number
  /** The server, and before it the processes that it needs. */
  readonly processes: readonly [...helpers: OwnProcess[], server: OwnProcess]
  /** The data, which go when the server stops. */
  readonly folder: string
  /** Called once the server answers. */
  endpoint(): Promise<Endpoint>
}

/** Starts an engine in a process of its own. It ends with this process, however that ends. */
export const startEngine = async <Endpoint>(options: StartEngineOptions<Endpoint>): Promise<EngineProcess<Endpoint>> => {
  const { say, title, usualSeconds, processes, folder } = options
  const server = processes.at(-1) as OwnProcess
  const stop = async (): Promise<void> => {
    for (const each of processes.toReversed()) await each.kill()
    await removeDataFolder(folder)
  }
  const startedAt = performance.now()
  say(`Starting ${title}, some ${usualSeconds} s`)
  try {
    for (const each of processes) await each.start()
    const endpoint = await options.endpoint()
    say(`${title} answers after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
    return {
      endpoint,
      origin: 'started',
      get pid() {
        return server.pid
      },
      kill: () => server.kill(),
      start: () => server.start(),
      pause: () => server.signal('SIGSTOP'),
      resume: () => server.signal('SIGCONT'),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
