const failing = (): never => {
  throw new Error('read on purpose')
}

/** Throws something that nothing can look at. */
const failingWorse = (): never => {
  throw revoked()
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable(new Error('gone'), {})
  revoke()
  return proxy
}

const cyclic = (): object => {
  const value: Record<string, unknown> = { name: 'cyclic' }
  value['cause'] = value
  return value
}

const thenable = (then: (resolve: (value: unknown) => void, reject: (reason: unknown) => void) => void): object =>
  // oxlint-disable-next-line unicorn/no-thenable -- a body may return anything
  Object.defineProperty({}, 'then', { value: then })

const traps = [
  'get',
  'has',
  'ownKeys',
  'getPrototypeOf',
  'getOwnPropertyDescriptor',
  'apply',
  'construct',
  'set',
  'defineProperty',
  'deleteProperty',
  'isExtensible',
  'preventExtensions',
  'setPrototypeOf',
] as const

const refusing = (refuse: () => never): object => new Proxy(function target() {}, Object.fromEntries(traps.map((trap) => [trap, refuse])))

const getter = (key: PropertyKey, get: () => unknown): object => Object.defineProperty({}, key, { get, enumerable: true })

/** Values that a body may throw or return, each made when it is needed: some work only once. */
export const hostileValues: readonly (readonly [what: string, make: () => unknown])[] = [
  ...['code', 'name', 'message', 'stack', 'cause', 'errors', 'retryable', 'toJSON', 'constructor', 'then'].flatMap(
    (key): (readonly [string, () => unknown])[] => [
      [`a getter ${key} that throws`, () => getter(key, failing)],
      [`a getter ${key} that throws a revoked proxy`, () => getter(key, failingWorse)],
      [
        `a getter ${key} that answers another type each time`,
        () => getter(key, alternating(['text', 1, undefined, {}, null, Symbol('s')])),
      ],
    ],
  ),
  ['a proxy that refuses everything', () => refusing(failing)],
  ['a proxy that refuses everything with a revoked proxy', () => refusing(failingWorse)],
  ['a revoked proxy', revoked],
  ['a revoked proxy as a code', () => ({ code: revoked() })],
  ['an error caused by a revoked proxy', () => new Error('outer', { cause: revoked() })],
  ['an error gathered from a revoked proxy', () => Object.assign(new Error('outer'), { errors: revoked() })],
  ['an object without a prototype', () => Object.assign(Object.create(null) as object, { code: 1, a: 'b' })],
  ['an object that cannot become text', () => ({ toString: failing, valueOf: failing, [Symbol.toPrimitive]: failing })],
  ['an object with a tag that throws', () => getter(Symbol.toStringTag, failing)],
  ['a cyclic object', cyclic],
  ['a frozen error', () => Object.freeze(new Error('cold'))],
  ['an error with a frozen, cyclic cause', () => new Error('outer', { cause: Object.freeze(cyclic()) })],
  ['a thenable that throws', () => thenable(failing)],
  ['a thenable that rejects with a revoked proxy', () => thenable((_, reject) => reject(revoked()))],
  ['a class with a prototype that throws', () => Object.create(refusing(failing)) as object],
  ['an error of 20 MB', () => new Error('x'.repeat(20_000_000))],
  ['a string of 20 MB', () => 'x'.repeat(20_000_000)],
  ['an array with 300,000 items', () => Array.from({ length: 300_000 }, (_, index) => index)],
  ['half a surrogate pair', () => new Error('\ud800')],
  ['an abort error', () => Object.assign(new Error('stop'), { name: 'AbortError' })],
  ['an own abort code', () => Object.assign(new Error('stop'), { code: 'LEASE_LOST' })],
  ['an own closed code', () => Object.assign(new Error('stop'), { code: 'CLOSED' })],
  ...[undefined, null, 0, Number.NaN, 1n, '', true, Symbol('s'), failing, new Date(Number.NaN), new Map([[1, 2]])].map(
    (value, index): readonly [string, () => unknown] => [`plain value ${index}`, () => value],
  ),
]

const alternating = (answers: readonly unknown[]): (() => unknown) => {
  let asked = 0
  return () => answers[asked++ % answers.length]
}
