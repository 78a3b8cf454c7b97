/** One figure, and what it is compared with. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The same work without the framework, in the same run and unit. */
  readonly floor?: number
  /** The range, or the parts of the value. */
  readonly detail?: string
  readonly aim?: string
}

/** The value below which the share `q` (0 to 1) of the samples lies. */
export const quantile = (samples: readonly number[], q: number): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The figures p50 and p99 of times in milliseconds, each with its aim. */
export const percentiles = (name: string, samples: readonly number[], aims: readonly string[] = []): readonly Figure[] =>
  [0.5, 0.99].map((q, index) => {
    const aim = aims[index]
    return { name: `${name}, p${q * 100}`, value: quantile(samples, q), unit: 'ms', ...(aim === undefined ? {} : { aim }) }
  })

export const range = (values: readonly number[]): string => `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`

export const rounded = (value: number): string => (value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3))
