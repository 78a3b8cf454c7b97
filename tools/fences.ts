/** A fenced block of a Markdown page. */
export interface Fence {
  /** What follows the opening backticks: `ts`, `ts continues`, `text`. */
  readonly info: string
  /** The line of the page, from 1, on which its code begins. */
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
 * The programs of a page: a fence `ts` begins one, each `ts continues` after it goes on with it. Every line stands where it
 * stands on the page, so that an error names the right one.
 */
export const programsOf = (markdown: string): readonly string[] => {
  const programs: string[] = []
  for (const { info, line, code } of fencesOf(markdown)) {
    if (info === 'ts continues' && programs.length === 0) throw new Error(`line ${line}: there is nothing that this block continues`)
    if (info === 'ts') programs.push('')
    if (info !== 'ts' && info !== 'ts continues') continue
    const before = programs.pop() ?? ''
    programs.push(before + '\n'.repeat(line - before.split('\n').length) + code)
  }
  return programs
}
