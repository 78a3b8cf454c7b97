import { readdirSync, readFileSync } from 'node:fs'

/** The kernel counts in hundredths of a second. */
const tickMs = 10

/** The name of a process or thread, and the processor time that it has taken, in milliseconds. Nothing where the system does not tell. */
const timesOf = (statFile: string): { readonly name: string; readonly ms: number } | undefined => {
  try {
    const stat = readFileSync(statFile, 'utf8')
    // The name stands in parentheses, and may hold some itself.
    const end = stat.lastIndexOf(') ')
    const fields = stat.slice(end + 2).split(' ')
    return { name: stat.slice(stat.indexOf('(') + 1, end), ms: (Number(fields[11]) + Number(fields[12])) * tickMs }
  } catch {
    return undefined
  }
}

/** The processor time that a process has taken, in milliseconds; 0 where the system does not tell. */
export const processorMs = (pid: number): number => timesOf(`/proc/${pid}/stat`)?.ms ?? 0

/** What of it the compilers of a Java machine have taken, by the names of their threads. */
export const compilerMs = (pid: number): number => {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => timesOf(`/proc/${pid}/task/${thread}/stat`) ?? [])
      .filter(({ name }) => /^C[12] Compiler/.test(name))
      .reduce((sum, { ms }) => sum + ms, 0)
  } catch {
    return 0
  }
}
