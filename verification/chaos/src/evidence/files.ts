import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskEvent } from '@taskledger/core'
import type { ClientLine, EvidenceKind, EvidenceLines, FaultLine, Left, Row, RunLine, SubmitLine } from './lines.ts'

/** Everything that is known about a run. */
export interface Evidence {
  readonly runs: readonly RunLine[]
  readonly submits: readonly SubmitLine[]
  readonly clients: readonly ClientLine[]
  readonly faults: readonly FaultLine[]
  readonly histories: ReadonlyMap<string, readonly TaskEvent[]>
  readonly listing: ReadonlyMap<string, Row>
  readonly left: Left | undefined
}

/** Appends lines to the file of one kind and one process. A line is in the file even if the process is killed right after. */
export const evidenceWriter = <Kind extends EvidenceKind>(
  folder: string,
  kind: Kind,
  process: string,
): ((line: EvidenceLines[Kind]) => void) => {
  const file = join(folder, `${kind}.${process}.jsonl`)
  return (line) => appendFileSync(file, `${JSON.stringify(line)}\n`)
}

/** Reads the files of a folder. A SIGKILL may cut the last line of a file short: that line is left out. */
export const readEvidence = (folder: string): Evidence => ({
  runs: linesOf(folder, 'runs'),
  submits: linesOf(folder, 'submits'),
  clients: linesOf(folder, 'clients'),
  faults: linesOf(folder, 'faults'),
  histories: new Map(linesOf(folder, 'histories').map(({ taskId, events }) => [taskId, events])),
  listing: new Map(linesOf(folder, 'listing').map((row) => [row.taskId, row])),
  left: linesOf(folder, 'left').at(-1),
})

const linesOf = <Kind extends EvidenceKind>(folder: string, kind: Kind): readonly EvidenceLines[Kind][] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(`${kind}.`) && name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as EvidenceLines[Kind])
