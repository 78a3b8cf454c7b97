import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** What a child can be asked for, by name. */
export type Commands = { readonly [name: string]: (argument: never) => Promise<unknown> }

type AnswerOf<C extends Commands, Name extends keyof C> = Awaited<ReturnType<C[Name]>>

interface Call {
  readonly call: number
  readonly name: string
  readonly argument: unknown
}

type Reply = { readonly call: number; readonly answer?: unknown; readonly error?: string } | { readonly told: unknown }

/** How long a child may take to go by itself, in milliseconds. */
const exitMs = 5_000

/** A process of a benchmark, and what it can be asked for. */
export interface Child<C extends Commands, Told = never> {
  readonly pid: number
  call<Name extends keyof C & string>(name: Name, ...argument: Parameters<C[Name]>): Promise<AnswerOf<C, Name>>
  /** What the child says unasked. One listener at a time. */
  hear(listener: (told: Told) => void): void
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>
  /** Lets the child go; one that does not is killed. */
  end(): Promise<void>
}

/** Starts a module as a process of its own. `url` is that of the module, `argument` reaches it in {@link serve}. */
export const startChild = <C extends Commands, Told = never>(
  url: URL,
  argument: unknown,
  execArgv: readonly string[] = [],
): Child<C, Told> => {
  const child: ChildProcess = fork(fileURLToPath(url), [JSON.stringify(argument)], { execArgv: [...execArgv], serialization: 'advanced' })
  const open = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  let listener: (told: Told) => void = () => {}
  child.on('message', (reply: Reply) => {
    if ('told' in reply) return listener(reply.told as Told)
    const waiting = open.get(reply.call)
    open.delete(reply.call)
    if (reply.error === undefined) waiting?.resolve(reply.answer)
    else waiting?.reject(new Error(reply.error))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of open.values()) reject(new Error(`a process of the benchmark ended early (${String(signal ?? code)})`))
    open.clear()
  })
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid ?? 0,
    call(name, ...[argument]) {
      const waiting = Promise.withResolvers<unknown>()
      const call: Call = { call: calls++, name, argument }
      open.set(call.call, waiting)
      child.send(call)
      return waiting.promise as Promise<never>
    },
    hear: (next) => (listener = next),
    async kill() {
      if (isGone()) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    async end() {
      if (isGone()) return
      const killing = setTimeout(() => child.kill('SIGKILL'), exitMs)
      child.disconnect()
      await once(child, 'exit')
      clearTimeout(killing)
    },
  }
}

/** What a child does. */
export interface Service {
  readonly commands: Commands
  close(): Promise<void>
}

/** In the child: answers calls until the parent lets go, then closes. */
export const serve = (serviceOf: (argument: never) => Service): void => {
  const { commands, close } = serviceOf(JSON.parse(process.argv[2] ?? 'null') as never)
  const answer = async ({ call, name, argument }: Call): Promise<void> => {
    try {
      process.send?.({ call, answer: await commands[name]?.(argument as never) })
    } catch (error) {
      process.send?.({ call, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
  process.on('message', (call: Call) => void answer(call))
  process.on('disconnect', () => {
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}

/** In the child: says something unasked, unless nobody listens any more. */
export const tell = (told: unknown): void => {
  if (process.connected) process.send?.({ told })
}

/** Milliseconds on a clock that all processes of the machine share. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6
