/** One figure, with what it is compared to where there is something. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The same work without the framework, in the same run and unit. */
  readonly floor?: number
}

/** The value below which the share `q` (0 to 1) of the samples lies. */
export const quantile = (samples: readonly number[], q: number): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export const rounded = (value: number): string => (value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3))

export const printTable = (figures: readonly Figure[]): void => {
  console.table(
    Object.fromEntries(
      figures.map(({ name, value, unit, floor }) => [
        name,
        {
          value: rounded(value),
          unit,
          floor: floor === undefined ? '' : rounded(floor),
          'ratio to floor': floor === undefined ? '' : rounded(value / floor),
        },
      ]),
    ),
  )
}
