import { TaskledgerError } from '../ports/shared/errors.ts'

/** An array or object that is being copied, with a link to the one that contains it. */
export interface Level {
  readonly value: object
  readonly up: Level | undefined
  readonly depth: number
  /** The current property or index; `undefined` before the first. */
  key: string | number | undefined
}

/** The current place of a walk through a value. */
export interface Place {
  /** The name of the value in messages. */
  readonly what: string
  readonly at: Level | undefined
}

export const notJson = ({ what, at }: Place, flaw: string, cause?: unknown): TaskledgerError =>
  new TaskledgerError('NOT_JSON', `${pathOf(what, at)} ${flaw}`, cause === undefined ? undefined : { cause })

/** The place as a program would write it; shortened if it is long. */
export const pathOf = (what: string, at: Level | undefined): string => {
  const steps: string[] = []
  for (let level = at; level !== undefined; level = level.up) if (level.key !== undefined) steps.unshift(stepOf(level.key))
  const path = what + steps.join('')
  return path.length <= 200 ? path : `${path.slice(0, 100)} … ${path.slice(-90)}`
}

const stepOf = (key: string | number): string => {
  if (typeof key === 'number') return `[${key}]`
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$]{0,59}$/u.test(key)) return `.${key}`
  return `[${JSON.stringify(key.length <= 60 ? key : `${key.slice(0, 59)}…`)}]`
}

/** The remedies for the most frequent mistakes. */
const remedies: readonly (readonly [tag: string, remedy: string])[] = [
  ['Date', 'it would come back a string; pass its toISOString()'],
  ['Map', 'JSON would drop its entries; pass Object.fromEntries of it, or an array of them'],
  ['Set', 'JSON would drop its members; pass an array of them'],
  ['Promise', 'JSON cannot hold it; await it first'],
  ['Error', 'JSON would drop its message; pass the message'],
]

/** The error for an object that is more than its properties. */
export const instanceRefused = (value: object, walk: Place): TaskledgerError => {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  const remedy = remedies.find(([name]) => name === tag)?.[1]
  const name = nameOfClass(value) ?? tag
  if (remedy !== undefined) return notJson(walk, `is ${articleOf(name)} ${name}: ${remedy}`)
  if (ArrayBuffer.isView(value))
    return notJson(walk, `is ${articleOf(name)} ${name}: it would come back an object; pass base64 text, or a plain array`)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return notJson(walk, `is an instance of ${name} with a toJSON: it would come back something else; pass what its toJSON() returns`)
  return notJson(walk, `is an instance of ${name}: it would come back without its class; pass a plain object`)
}

const nameOfClass = (value: object): string | undefined => {
  const { constructor } = value
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name.slice(0, 100) : undefined
}

const articleOf = (name: string): string => (/^[aeio]/i.test(name) ? 'an' : 'a')
