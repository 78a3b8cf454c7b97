/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly minWidth: number
  readonly maxWidth: number
  /** If there is too little room, the column with the lowest rank is dropped first. */
  readonly rank: number
  /** Text of exactly this width, without colours. */
  readonly draw: (row: Row, width: number) => string
}

export interface Placed<Row> {
  readonly column: Column<Row>
  readonly width: number
}

const gap = 2

/** Divides the width: columns of a low rank are dropped if there is too little, and columns grow from the left if there is more. */
export const placed = <Row>(columns: readonly Column<Row>[], width: number): readonly Placed<Row>[] => {
  const shown = [...columns]
  const needed = (): number => shown.reduce((sum, { minWidth }) => sum + minWidth + gap, -gap)
  while (shown.length > 1 && needed() > width) {
    const lowest = shown.reduce((a, b) => (b.rank < a.rank ? b : a))
    shown.splice(shown.indexOf(lowest), 1)
  }
  let spare = width - needed()
  return shown.map((column) => {
    const { minWidth, maxWidth } = column
    const grown = Math.max(1, Math.min(Math.max(minWidth, maxWidth), minWidth + spare))
    spare -= grown - minWidth
    return { column, width: grown }
  })
}

/** The cells of a row, side by side. */
export const drawn = <Row>(columns: readonly Placed<Row>[], cell: (placed: Placed<Row>) => string): string =>
  columns.map(cell).join(' '.repeat(gap)).trimEnd()
