import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { ServerNotAvailable } from '../errors.ts'

const run = promisify(execFile)

/** The commands that may be Java 17, the likeliest first. */
const candidates = (): readonly string[] => [
  ...(process.env['JAVA_HOME'] === undefined ? [] : [join(process.env['JAVA_HOME'], 'bin/java')]),
  ...globSync(['/usr/lib/jvm/*17*/bin/java', '/Library/Java/JavaVirtualMachines/*17*/Contents/Home/bin/java']).toSorted(),
  'java',
]

/** The major version and the home of a Java, or undefined where the command does not run. */
const look = async (java: string): Promise<{ readonly major: number; readonly home: string } | undefined> => {
  if (java !== 'java' && !existsSync(java)) return undefined
  try {
    const { stderr } = await run(java, ['-XshowSettings:properties', '-version'], { timeout: 20_000 })
    const major = /java\.specification\.version = (?:1\.)?(\d+)/.exec(stderr)?.[1]
    const home = /java\.home = (.+)/.exec(stderr)?.[1]
    return major === undefined || home === undefined ? undefined : { major: Number(major), home: home.trim() }
  } catch {
    return undefined
  }
}

/** The home of a Java 17, the newest version that Cassandra 5.0 supports. */
export const findJava17 = async (): Promise<string> => {
  const seen: string[] = []
  for (const java of candidates()) {
    const found = await look(java)
    if (found?.major === 17) return found.home
    if (found !== undefined) seen.push(`Java ${found.major} in ${found.home}`)
  }
  throw new ServerNotAvailable(
    `Cassandra needs Java 17, but this machine has ${seen.length === 0 ? 'no Java' : seen.join(', ')}`,
    'Install it (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME',
  )
}
