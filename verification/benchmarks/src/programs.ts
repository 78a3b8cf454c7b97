import type { Program } from './bench.ts'
import type { Platform } from './platforms/platform.ts'
import { cancelling } from './programs/cancelling.ts'
import { cohorts } from './programs/cohorts.ts'
import { kills } from './programs/faults/kills.ts'
import { outages } from './programs/faults/outages.ts'
import { floors } from './programs/floors.ts'
import { heap } from './programs/heap.ts'
import { latency } from './programs/latency.ts'
import { listing } from './programs/listing.ts'
import { safety } from './programs/safety.ts'
import { statements } from './programs/statements.ts'
import { submitting } from './programs/submitting.ts'
import { throughput } from './programs/throughput.ts'
import { waiting } from './programs/waiting.ts'

/** In the order of a run: throughput is the first, since it uses the processes that warmed the servers up. */
export const programs: ReadonlyMap<string, Program> = new Map(
  Object.entries({
    throughput,
    floors,
    cohorts,
    statements,
    latency,
    cancelling,
    listing,
    submitting,
    heap,
    waiting,
    kills,
    outages,
    safety,
  }),
)

/** The names of the programs of a platform, which run unless others are named, or only if they are named. */
export const namesOn = (platform: Platform['name'], kind: 'usual' | 'long'): readonly string[] =>
  [...programs].flatMap(([name, { on, isLong = false }]) => (on.includes(platform) && isLong === (kind === 'long') ? [name] : []))
