import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery, Logger, TaskCreated, TaskMessaging, TaskId, WorkMessage } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { RabbitmqMessagingOptions } from '@taskledger/rabbitmq'
import type { TcpProxy } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'
import { Broker } from './broker.ts'
import { quickly, rememberQueues } from './harness.ts'

/** A line of the log. */
interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: object
}

/** A client with a prefix of its own, the broker, and the network between them. */
export class TestClient {
  readonly prefix: string
  readonly broker: Broker
  readonly proxy: TcpProxy
  readonly logged: LogLine[] = []
  readonly #url: string
  readonly #opened: TaskMessaging[] = []
  readonly #queues = new Set<string>()
  #messaging: TaskMessaging | undefined

  private constructor(prefix: string, url: string, broker: Broker, proxy: TcpProxy) {
    this.prefix = prefix
    this.broker = broker
    this.proxy = proxy
    this.#url = url
  }

  static async open(url: string, options: Partial<RabbitmqMessagingOptions> = {}): Promise<TestClient> {
    const { hostname, port } = new URL(url)
    const prefix = options.prefix ?? `t_${process.pid}_${Math.random().toString(36).slice(2)}`
    const proxy = await tcpProxy({ host: hostname, port: Number(port || 5672) })
    const client = new TestClient(prefix, url, await Broker.connect(url), proxy)
    client.#messaging = await client.another(options)
    return client
  }

  get messaging(): TaskMessaging {
    if (this.#messaging === undefined) throw new Error('the client is not open')
    return this.#messaging
  }

  /** The lines of lost connections. */
  get disconnections(): readonly LogLine[] {
    return this.logged.filter(({ message }) => /^(lost the connection|cannot connect)/.test(message))
  }

  /** The broker's address behind the proxy. */
  get url(): string {
    const url = new URL(this.#url)
    url.host = `${this.proxy.host}:${this.proxy.port}`
    return url.href
  }

  /** Opens a further client with the same prefix. */
  async another(options: Partial<RabbitmqMessagingOptions> = {}): Promise<TaskMessaging> {
    const messaging = await rabbitmqMessaging({ url: this.url, prefix: this.prefix, logger: this.#logger(), ...quickly, ...options })
    this.#opened.push(messaging)
    return messaging
  }

  /** The broker's name of a queue. */
  work(queue: string): string {
    return `${this.prefix}.work.${queue}`
  }

  dead(queue: string): string {
    return `${this.prefix}.dead.${queue}`
  }

  /** Remembers a queue that the test declared itself, to delete it. */
  own(queue: string): string {
    this.#queues.add(queue)
    return queue
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((messaging) => messaging.close()))
    await this.proxy[Symbol.asyncDispose]()
    await this.broker.close(this.#queues, `${this.prefix}.events`)
  }

  #logger(): Logger {
    const tell = (level: LogLine['level']) => (fields: object, message: string) => void this.logged.push({ level, message, fields })
    return { ...rememberQueues(this.#queues), info: tell('info'), warn: tell('warn'), error: tell('error') }
  }
}

let count = 0

/** Makes a message for a new task. */
export const newMessage = (): WorkMessage => ({
  taskId: `018f0000-0000-7000-8000-${(++count).toString(16).padStart(12, '0')}` as TaskId,
  version: 1,
  sentAt: Date.now(),
})

/** Makes a message that carries a payload of that many bytes. */
export const largeMessage = (bytes: number): WorkMessage => {
  const message = newMessage()
  const created: TaskCreated = {
    type: 'TaskCreated',
    taskId: message.taskId,
    version: 1,
    eventId: message.taskId,
    at: 1,
    node: 'n',
    task: { type: 't', version: 1, payload: { text: 'x'.repeat(bytes) } },
    queue: 'default',
    retry: { maxAttempts: 1, maxCrashes: 1, backoff: { initialMs: 1, factor: 1, maxMs: 1, jitter: 0 } },
    labels: [],
  }
  return { ...message, created }
}

/** A handler that accepts every message and collects the task ids. */
export const acceptInto =
  (taken: string[]) =>
  async (delivery: Delivery): Promise<void> => {
    taken.push(delivery.message.taskId)
    await delivery.accept()
  }

/** Waits until the condition holds. After twenty seconds it fails with the sentence and the state that was seen. */
export const until = async (
  sentence: string,
  condition: () => boolean | Promise<boolean>,
  seen: () => unknown = () => '',
): Promise<void> => {
  for (const begun = performance.now(); !(await condition()); await sleep(10)) {
    if (performance.now() - begun > 20_000) throw new Error(`timed out waiting until ${sentence}; seen: ${JSON.stringify(seen())}`)
  }
}

/** A promise that the test resolves. */
export const gate = (): { readonly opened: Promise<void>; readonly open: () => void } => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

/** The error with which the promise rejects. */
export const failureOf = async (promise: Promise<unknown>): Promise<Error & { readonly code?: string }> => {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('the promise did not reject')
}
