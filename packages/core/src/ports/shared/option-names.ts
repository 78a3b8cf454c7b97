/**
 * What other libraries call an option, and what it is called here. The first name that the call knows is suggested. Names are in lower case,
 * without "ms" at their end.
 */
const namesElsewhere: Readonly<Record<string, readonly string[]>> = {
  attempts: ['maxAttempts', 'retry'],
  retries: ['maxAttempts', 'retry'],
  retrylimit: ['maxAttempts', 'retry'],
  concurrency: ['slots', 'worker'],
  localconcurrency: ['slots', 'worker'],
  prefetch: ['slots', 'worker'],
  maxslots: ['slots', 'worker'],
  runat: ['notBefore'],
  startafter: ['notBefore', 'delayMs'],
  startat: ['notBefore'],
  scheduledat: ['notBefore'],
  jobid: ['idempotencyKey'],
  jobkey: ['idempotencyKey'],
  key: ['idempotencyKey'],
  singletonkey: ['idempotencyKey'],
  tag: ['label', 'labels'],
  tags: ['labels', 'label'],
  handler: ['run'],
  execute: ['run'],
  process: ['run'],
  name: ['type'],
  task: ['type'],
  input: ['payload'],
  schema: ['payload'],
  output: ['result'],
  lockduration: ['ttlMs', 'lease'],
  gracefulshutdowntimeout: ['drainMs', 'worker'],
  from: ['since'],
  after: ['since'],
  before: ['until', 'finishedBefore'],
  to: ['until'],
  olderthan: ['finishedBefore'],
  log: ['logger'],
}

const maxGuessed = 60

/** The known name that was probably meant; `undefined` if none is near. */
export const nearestName = (given: string, known: readonly string[]): string | undefined => {
  if (given.length > maxGuessed) return undefined
  const plain = plainName(given)
  const elsewhere = Object.hasOwn(namesElsewhere, plain) ? (namesElsewhere[plain] ?? []) : []
  return (
    known.find((name) => plainName(name) === plain) ??
    elsewhere.find((name) => known.includes(name)) ??
    known.find((name) => isWithin(plain, plainName(name))) ??
    nearest(plain, known)
  )
}

/** Without capitals, signs between words, and the unit. */
const plainName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/(?<=...)ms$/, '')

const isWithin = (a: string, b: string): boolean => Math.min(a.length, b.length) >= 4 && (a.includes(b) || b.includes(a))

const nearest = (plain: string, known: readonly string[]): string | undefined => {
  const byDistance = known.map((name) => ({ name, distance: distanceOf(plain, plainName(name)) })).sort((a, b) => a.distance - b.distance)
  const best = byDistance[0]
  return best !== undefined && best.distance <= Math.max(1, Math.floor(plain.length / 3)) ? best.name : undefined
}

/** How many letters have to be added, removed or replaced to make one text of the other (Levenshtein). */
const distanceOf = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
