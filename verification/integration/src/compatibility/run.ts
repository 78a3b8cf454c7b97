import type { Say } from '@taskledger/servers'
import type { Report } from '@taskledger/test-kit'
import { formatReport, taskManagerContract } from '@taskledger/test-kit'
import type { OpenEngine, PortReport } from '../engines/engine.ts'
import { portReport } from '../engines/engine.ts'
import { engines } from '../engines/index.ts'
import { harnessOf, startPair, stopPair } from '../pair.ts'
import type { Pair } from '../pair.ts'

export interface RunOptions {
  readonly say: Say
  /** Shows a report as soon as there is one. */
  readonly show: (text: string) => void
  readonly isWanted: (contract: string) => boolean
}

/** Runs the contracts on a server of each engine, and the rules about a whole system on each storage with each messaging. */
export const runEngines = async ({ say, show, isWanted }: RunOptions): Promise<readonly Report[]> => {
  const reports: Report[] = []
  const run = async (port: PortReport): Promise<void> => {
    if (!isWanted(port.contract)) return
    const report = await port.run()
    show(formatReport(report))
    reports.push(report)
  }
  await using stack = new AsyncDisposableStack()
  const open: OpenEngine[] = []
  for (const engine of engines) {
    const opened = await engine.open(say)
    stack.defer(() => opened.close())
    open.push(opened)
  }
  for (const pair of pairsOf(open)) {
    const system = portReport(taskManagerContract(harnessOf(pair)))
    if (!isWanted(system.contract)) continue
    await startPair(pair)
    try {
      await run(system)
    } finally {
      await stopPair(pair)
    }
  }
  for (const { ports } of open) for (const port of ports) await run(port)
  return reports
}

const pairsOf = (open: readonly OpenEngine[]): readonly Pair[] =>
  open.flatMap(({ storage }) =>
    open.flatMap(({ messaging }) => (storage === undefined || messaging === undefined ? [] : [{ storage, messaging }])),
  )
