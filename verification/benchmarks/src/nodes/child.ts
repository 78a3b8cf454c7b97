import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** The commands of a child, by name. */
export type Commands = { readonly [name: string]: (argument: never) => Promise<unknown> }

type AnswerOf<C extends Commands, Name extends keyof C> = Awaited<ReturnType<C[Name]>>

interface Call {
  readonly call: number
  readonly name: string
  readonly argument: unknown
}

type Reply = { readonly call: number; readonly answer?: unknown; readonly error?: string } | { readonly report: unknown }

/** How long a child may take to end after it was disconnected, in milliseconds. */
const exitMs = 5_000

/** A process of a benchmark, and its commands. */
export interface Child<C extends Commands, Report = never> {
  readonly pid: number
  call<Name extends keyof C & string>(name: Name, ...argument: Parameters<C[Name]>): Promise<AnswerOf<C, Name>>
  /** Hears the messages of the child. One listener at a time. */
  hear(listener: (report: Report) => void): void
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>
  /** Lets the child close and end, and kills it after a while. */
  end(): Promise<void>
}

/** The program of a child. */
export interface Service<C extends Commands = Commands> {
  readonly commands: Partial<C>
  close(): Promise<void>
}

/** Starts a module as a process of its own. {@link serve} receives the argument there. */
export const startChild = <C extends Commands, Report = never>(
  url: URL,
  argument: unknown,
  execArgv: readonly string[] = [],
): Child<C, Report> => {
  const child: ChildProcess = fork(fileURLToPath(url), [JSON.stringify(argument)], { execArgv: [...execArgv], serialization: 'advanced' })
  const open = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  let listener: (report: Report) => void = () => {}
  child.on('message', (reply: Reply) => {
    if ('report' in reply) return listener(reply.report as Report)
    const waiting = open.get(reply.call)
    open.delete(reply.call)
    if (reply.error === undefined) waiting?.resolve(reply.answer)
    else waiting?.reject(new Error(reply.error))
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of open.values()) reject(new Error(`a process of the benchmark ended too early (${String(signal ?? code)})`))
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

/** In the child: answers calls until the parent disconnects, then closes. */
export const serve = (serviceOf: (argument: never, send: (report: unknown) => void) => Service): void => {
  const { commands, close } = serviceOf(JSON.parse(process.argv[2] ?? 'null') as never, send)
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

/** In the child: sends a message to the parent, if it is still connected. */
const send = (report: unknown): void => {
  if (process.connected) process.send?.({ report })
}

/** Milliseconds on a clock that all processes of the machine share. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Runs the program of a child in this process. */
export const startInProcess = <C extends Commands, Report = never>(
  serviceOf: (send: (report: Report) => void) => Service<C>,
): Child<C, Report> => {
  let listener: (report: Report) => void = () => {}
  const { commands, close } = serviceOf((report) => listener(report))
  return {
    pid: process.pid,
    async call(name, ...[argument]) {
      const command = commands[name]
      if (command === undefined) throw new TypeError(`the process has no command ${name}`)
      return (await command(argument)) as never
    },
    hear: (next) => (listener = next),
    kill: () => Promise.reject(new TypeError('a node of this process cannot be killed: give it a process of its own')),
    end: close,
  }
}

export const endAll = async (children: readonly { end(): Promise<void> }[]): Promise<void> => {
  await Promise.all(children.map((child) => child.end()))
}
