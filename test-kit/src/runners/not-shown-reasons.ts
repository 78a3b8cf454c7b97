import { randomUUID } from 'node:crypto'
import process from 'node:process'
import type { Contract } from '../framework/rule.ts'

/** Opens the subject once, and returns the rules that cannot be tried on it, with the reasons. For {@link register}. */
export const notShownReasons = async <Port>({ harness, rules }: Contract<Port>): Promise<ReadonlyMap<string, string>> => {
  const subject = await harness.open({ namespace: `t_${process.pid}_reasons_${randomUUID().slice(0, 8)}` })
  try {
    return new Map(
      rules.flatMap((rule) => {
        const why = rule.notShown?.(subject)
        return why === undefined ? [] : [[rule.id, why]]
      }),
    )
  } finally {
    await subject[Symbol.asyncDispose]?.()
  }
}
