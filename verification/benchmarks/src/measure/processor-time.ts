import { readdirSync, readFileSync } from 'node:fs'

/** The kernel counts in hundredths of a second. */
const tickMs = 10

/** The name and the processor time of a process or thread, in milliseconds. Undefined where the system has no such file. */
const timesOf = (statFile: string): { readonly name: string; readonly ms: number } | undefined => {
  try {
    const stat = readFileSync(statFile, 'utf8')
    // The name is in parentheses, and may contain parentheses.
    const end = stat.lastIndexOf(') ')
    const fields = stat.slice(end + 2).split(' ')
    return { name: stat.slice(stat.indexOf('(') + 1, end), ms: (Number(fields[11]) + Number(fields[12])) * tickMs }
  } catch {
    return undefined
  }
}

/** The processor time of a process, in milliseconds; 0 where it is not known. */
export const processorMs = (pid: number): number => timesOf(`/proc/${pid}/stat`)?.ms ?? 0

/** The processor time of the compiler threads of a Java process, in milliseconds. */
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
