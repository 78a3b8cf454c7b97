import type { Figure } from './figures.ts'
import { rounded } from './figures.ts'

/** A figure of a program, with the load of the machine over the last minute: before the program, and after it. */
export interface LoadedFigure extends Figure {
  readonly program: string
  readonly load: readonly [before: number, after: number]
}

export const tableOf = (figures: readonly LoadedFigure[]): readonly string[] => {
  const cells = ({ name, value, unit, floor, aim, load, detail }: LoadedFigure): readonly string[] => [
    name,
    `${rounded(value)} ${unit}`,
    floor === undefined ? '' : rounded(floor),
    floor === undefined ? '' : rounded(value / floor),
    aim ?? '',
    load.map((one) => one.toFixed(1)).join(' → '),
    detail ?? '',
  ]
  const rows = [['figure', 'value', 'floor', 'of floor', 'aim', 'load', ''], ...figures.map(cells)]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
