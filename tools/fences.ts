/** A fenced block of a Markdown page. */
export interface Fence {
  /** The text after the opening backticks: `ts`, `ts continues`, `text`. */
  readonly info: string
  /** The line of the page on which the code begins, counted from 1. */
  readonly line: number
  readonly code: string
}

/** All fenced blocks of a page, in order. */
export const fencesOf = (markdown: string): readonly Fence[] =>
  [...markdown.matchAll(/^([ ]*)(`{3,})([^`\n]*)\n([^]*?)^\1\2[ ]*$/gm)].map((match) => {
    const [, indent = '', , info = '', code = ''] = match
    return {
      info: info.trim(),
      line: markdown.slice(0, match.index).split('\n').length + 1,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }
  })

/**
 * The programs of a page: a block `ts` begins a program, and each `ts continues` after it continues that program. Each line has the same
 * number as on the page, so that an error names the right line.
 */
export const programsOf = (markdown: string): readonly string[] => {
  const programs: string[] = []
  for (const { info, line, code } of fencesOf(markdown)) {
    if (info === 'ts continues' && programs.length === 0)
      throw new Error(`line ${line}: this block continues a program, but no program begins before it`)
    if (info === 'ts') programs.push('')
    if (info !== 'ts' && info !== 'ts continues') continue
    const before = programs.pop() ?? ''
    programs.push(before + '\n'.repeat(line - before.split('\n').length) + code)
  }
  return programs
}
