/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  /** How wide it has to be, and how wide it may get. */
  readonly least: number
  readonly most: number
  /** Where there is too little room, the column with the lowest goes first. */
  readonly keep: number
  /** Exactly that many columns of the terminal, colours aside. */
  readonly draw: (row: Row, width: number) => string
}

export interface Placed<Row> {
  readonly column: Column<Row>
  readonly width: number
}

const gap = 2

/** Shares out the width: what is of least use goes where there is too little, and the columns grow from the left where there is more. */
export const placed = <Row>(columns: readonly Column<Row>[], width: number): readonly Placed<Row>[] => {
  const shown = [...columns]
  const needed = (): number => shown.reduce((sum, { least }) => sum + least + gap, -gap)
  while (shown.length > 1 && needed() > width) {
    const least = shown.reduce((a, b) => (b.keep < a.keep ? b : a))
    shown.splice(shown.indexOf(least), 1)
  }
  let spare = width - needed()
  return shown.map((column) => {
    const { least, most } = column
    const grown = Math.max(1, Math.min(Math.max(least, most), least + spare))
    spare -= grown - least
    return { column, width: grown }
  })
}

/** The cells of a row, side by side. */
export const drawn = <Row>(columns: readonly Placed<Row>[], cell: (placed: Placed<Row>) => string): string =>
  columns.map(cell).join(' '.repeat(gap)).trimEnd()
