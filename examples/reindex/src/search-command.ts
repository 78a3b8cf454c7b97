import { resolve } from 'node:path'
import { openExistingIndex } from './index/open-index.ts'
import { queryOf } from './index/words.ts'
import { counted, number, printable } from './terminal/printable.ts'
import { hitLines } from './terminal/search-results.ts'

export interface SearchCommand {
  readonly words: readonly string[]
  readonly index: string
  readonly limit: number
}

/** Searches the index, and gives the exit code. */
export const searchCommand = ({ words, index: folder, limit }: SearchCommand): number => {
  // An argument with spaces was quoted in the shell.
  const typed = words.map((word) => (/\s/.test(word) && !word.includes('"') ? `"${word}"` : word)).join(' ')
  const query = queryOf(typed)
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  if (query === undefined) {
    process.stderr.write('There is no word to search for: give letters or digits.\n')
    return 2
  }
  using index = openExistingIndex(resolve(folder))
  const count = index.count(query)
  say(`${number(count)} of ${counted(index.size, 'message')} ${count === 1 ? 'has' : 'have'} ${printable(words.join(' '))}`)
  for (const hit of index.search(query, limit)) say(`\n${hitLines(hit).join('\n')}`)
  if (count > limit) say(`\n${counted(count - limit, 'message')} more: --limit ${count} shows them all`)
  return 0
}
