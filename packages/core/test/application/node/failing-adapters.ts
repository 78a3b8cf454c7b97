import type { Delivery, TaskMessaging, TaskStorage } from '@taskledger/core/ports'

/** `before`: the call fails and did nothing. `after`: it did everything, and its answer is lost. */
export type FailureMode = 'before' | 'after'

/** Adapters of which the n-th call that leaves the process fails. */
export interface FailingAdapters {
  readonly storage: TaskStorage
  readonly messaging: TaskMessaging
  /** The calls so far, by name. */
  readonly calls: readonly string[]
}

/** Wraps every port, and what a delivery offers. `failing` is the number of the call that fails: 1, 2, …; 0: none. */
export const failingAdapters = (storage: TaskStorage, messaging: TaskMessaging, failing: number, mode: FailureMode): FailingAdapters => {
  const calls: string[] = []

  const attempt = async (name: string, call: () => Promise<unknown>): Promise<unknown> => {
    calls.push(name)
    const isFailing = calls.length === failing
    if (isFailing && mode === 'before') throw new Error(`call ${failing} failed: ${name}`)
    const answer = await call()
    if (isFailing) throw new Error(`the answer of call ${failing} was lost: ${name}`)
    return answer
  }

  const wrap = <Port extends object>(port: Port, name: string): Port =>
    new Proxy(port, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        const path = `${name}.${String(key)}`
        if (typeof value === 'object' && value !== null && key !== 'capabilities') return wrap(value, path)
        if (typeof value !== 'function') return value
        const method = value.bind(target) as (...given: unknown[]) => unknown
        // These three do not leave the process, or must not fail for good.
        if (key === 'subscribe' || key === 'onGap' || key === 'close') return method
        if (key === 'consume')
          return (queue: string, handler: (delivery: Delivery) => Promise<void>, options: unknown) =>
            attempt(path, () => method(queue, (delivery: Delivery) => handler(wrapDelivery(delivery)), options) as Promise<unknown>)
        return (...given: unknown[]) => attempt(path, () => method(...given) as Promise<unknown>)
      },
    })

  const wrapDelivery = (delivery: Delivery): Delivery => ({
    message: delivery.message,
    redelivered: delivery.redelivered,
    releases: delivery.releases,
    accept: async () => void (await attempt('delivery.accept', () => delivery.accept())),
    release: async (options) => void (await attempt('delivery.release', () => delivery.release(options))),
    reject: async (why) => void (await attempt('delivery.reject', () => delivery.reject(why))),
  })

  return { storage: wrap(storage, 'storage'), messaging: wrap(messaging, 'messaging'), calls }
}
