import type { Cluster } from '../cluster/cluster.ts'
import type { NewsView } from '../screen/view.ts'

/** More news than any screen has room for. */
const maxNews = 100

/** One piece of news. */
interface News {
  readonly at: number
  /** Whether it is about a new task: plain output does not print that. */
  readonly isNewTask: boolean
  /** In words; undefined if its task is not known yet. */
  readonly textIn: (cluster: Cluster) => string | undefined
}

/** The latest news, for a screen or as plain lines. */
export class NewsFeed {
  readonly #say: ((line: string) => void) | undefined
  readonly #news: News[] = []
  #unprinted: News[] = []

  /** @param say prints a line; undefined for a screen. */
  constructor(say: ((line: string) => void) | undefined) {
    this.#say = say
  }

  add(news: News): void {
    this.#news.push(news)
    if (this.#news.length > maxNews) this.#news.shift()
    if (this.#say !== undefined) this.#unprinted.push(news)
  }

  /** Prints the unprinted news. A notice may come before its submit has returned: then it is printed later. */
  print(cluster: Cluster): void {
    this.#unprinted = this.#unprinted.filter(({ isNewTask, textIn }) => {
      const text = textIn(cluster)
      if (text !== undefined && !isNewTask) this.#say?.(text)
      return text === undefined
    })
  }

  viewsIn(cluster: Cluster): readonly NewsView[] {
    return this.#news.flatMap(({ at, textIn }) => {
      const text = textIn(cluster)
      return text === undefined ? [] : [{ at, text }]
    })
  }
}
