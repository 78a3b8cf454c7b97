import { styleText } from 'node:util'
import type { RuleResult, RuleStatus } from '../framework/rule.ts'
import type { RunEvent, StepBegan } from '../framework/run-events.ts'
import { countsOf, formatResult, widthOf } from './text.ts'

/** Where a live report is written: standard output, a terminal or not. */
export interface Screen {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  hasColors?(): boolean
}

/** A rule that runs. */
interface Running {
  readonly id: string
  readonly steps: Timed[]
  /** After how many milliseconds of the step a log says the next time that it still runs. */
  tellAfterMs: number
}

/** A step of a rule, and when it began. */
interface Timed {
  readonly step: StepBegan
  readonly startedAt: number
}

/** How long each part of a rule took, in milliseconds. */
type Parts = ReadonlyMap<string, number>

/** A step that takes longer is named in a log. The next time is after twice as long. */
const quietMs = 10_000

const slowestRules = 5

const colours = { passed: 'green', failed: 'red', error: 'red', 'not shown': 'yellow' } as const

/**
 * Says what a run does, while it does it: a line for each rule that ends, and what runs at the moment. On a terminal that is a line which
 * changes; in a log a step that takes long is named after 10 s, 20 s, 40 s, and so on.
 */
export class LiveReport {
  readonly #screen: Screen
  readonly #now: () => number
  readonly #running = new Map<string, Running>()
  readonly #ended: { readonly result: RuleResult; readonly parts: Parts }[] = []
  /** How many rules ended before they began: they were not tried. */
  #untried = 0
  #columns = { idWidth: 0, statusWidth: 'not shown'.length }
  #count = 0
  #endedHere = 0
  #hasLine = false

  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen
    this.#now = now
  }

  /** The rules of a contract are about to run. */
  begin(title: string, ruleIds: readonly string[]): void {
    this.#columns = { ...this.#columns, idWidth: widthOf(ruleIds) }
    this.#count = ruleIds.length
    this.#endedHere = 0
    this.#print(`${title}: ${rulesText(ruleIds.length)}`)
  }

  /** Something happened. */
  readonly hear = (event: RunEvent): void => {
    switch (event.type) {
      case 'rule began':
        this.#running.set(event.id, { id: event.id, steps: [], tellAfterMs: quietMs })
        break
      case 'step began':
        this.#stepBegan(event)
        break
      case 'rule ended':
        this.#ruleEnded(event.result)
        break
      default:
        event satisfies never
    }
  }

  /** The rules of a contract have ended. */
  end(title: string, results: readonly RuleResult[]): void {
    this.#print(`${title}: ${countsOf(results)}\n`)
  }

  /** Shows what runs now. To be called a few times a second. */
  tick(): void {
    if (this.#screen.isTTY === true) this.#drawLine()
    else for (const running of this.#running.values()) this.#tellIfLong(running)
  }

  /** What runs now, longest first. */
  get running(): readonly string[] {
    return [...this.#running.values()].sort((a, b) => this.#ageOf(b) - this.#ageOf(a)).map((running) => this.#describe(running))
  }

  /** The rules that do not hold, and the slowest rules. */
  summary(): string {
    const bad = this.#ended.filter(({ result: { status } }) => status === 'failed' || status === 'error')
    const slow = this.#ended
      .filter(({ result }) => result.ms >= 100)
      .sort((a, b) => b.result.ms - a.result.ms)
      .slice(0, slowestRules)
    const idWidth = widthOf([...bad, ...slow].map(({ result }) => result.id))
    return [
      ...(bad.length === 0 ? [] : ['These rules do not hold, or could not be tried:']),
      ...bad.map(({ result }) => `  ${result.id.padEnd(idWidth)}  ${this.#paint(result.status, result.status.padEnd(6))}  ${result.title}`),
      ...(this.#untried === 0 ? [] : [`Not tried, since the harness hung: ${rulesText(this.#untried)}`]),
      ...(slow.length === 0 ? [] : ['The slowest rules:']),
      ...slow.map(
        ({ result, parts }) => `  ${result.id.padEnd(idWidth)}  ${seconds(result.ms).padStart(7)}  ${result.title}${partsText(parts)}`,
      ),
    ]
      .map((line) => `${line}\n`)
      .join('')
  }

  /** Writes lines, above the line of what runs. */
  #print(text: string): void {
    this.#clearLine()
    this.#screen.write(`${text}\n`)
  }

  #stepBegan(step: StepBegan): void {
    const running = this.#running.get(step.id)
    if (running === undefined) return
    running.steps.push({ step, startedAt: this.#now() })
    running.tellAfterMs = quietMs
  }

  #ruleEnded(result: RuleResult): void {
    const parts = new Map<string, number>()
    const steps = this.#running.get(result.id)?.steps ?? []
    for (const [index, { step, startedAt }] of steps.entries()) {
      const endedAt = steps[index + 1]?.startedAt ?? this.#now()
      parts.set(step.step, (parts.get(step.step) ?? 0) + endedAt - startedAt)
    }
    // A report has errors that belong to no rule, too: those count as failed.
    if (!this.#running.delete(result.id) && result.status === 'error') this.#untried++
    else this.#ended.push({ result, parts })
    this.#endedHere++
    this.#print(formatResult(result, { ...this.#columns, paint: (status, text) => this.#paint(status, text) }))
  }

  #tellIfLong(running: Running): void {
    if (this.#ageOf(running) < running.tellAfterMs) return
    running.tellAfterMs *= 2
    this.#print(`  … ${this.#describe(running)}`)
  }

  #drawLine(): void {
    this.#clearLine()
    if (this.#running.size === 0) return
    const text = `${this.#endedHere} of ${this.#count} · ${this.running.join(' · ')}`
    const width = Math.max(20, (this.#screen.columns ?? 80) - 1)
    this.#screen.write(text.length <= width ? text : `${text.slice(0, width - 1)}…`)
    this.#hasLine = true
  }

  #clearLine(): void {
    if (this.#hasLine) this.#screen.write('\r\u001b[2K')
    this.#hasLine = false
  }

  #ageOf({ steps }: Running): number {
    return this.#now() - (steps.at(-1)?.startedAt ?? this.#now())
  }

  /** `ES-3.5 "restart" for 12 s of 120 s`, `ES-2.4 for 3 s: the history can be read` */
  #describe(running: Running): string {
    const { step } = running.steps.at(-1) ?? {}
    if (step === undefined) return running.id
    const age = `${Math.floor(this.#ageOf(running) / 1_000)} s`
    if (step.step !== 'rule') return `${running.id} "${step.step}" for ${age} of ${Math.ceil(step.boundMs / 1_000)} s`
    const [awaited] = step.awaited()
    return `${running.id} for ${age}${awaited === undefined ? '' : `: waits until ${awaited}`}`
  }

  #paint(status: RuleStatus, text: string): string {
    const { isTTY = false } = this.#screen
    return isTTY && this.#screen.hasColors?.() === true ? styleText(colours[status], text, { validateStream: false }) : text
  }
}

/** ` (open 8.1 s, rule 4.0 s)`: the parts that matter. */
const partsText = (parts: Parts): string => {
  const shown = [...parts].filter(([, ms]) => ms >= 50).map(([part, ms]) => `${part} ${seconds(ms)}`)
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`
}

const rulesText = (count: number): string => `${count} ${count === 1 ? 'rule' : 'rules'}`

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
