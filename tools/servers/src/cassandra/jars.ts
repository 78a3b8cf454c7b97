import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { ServerNotAvailable } from '../errors.ts'
import { installOnce } from '../process/install-once.ts'
import { serversFolder } from '../process/data-folder.ts'
import type { Say } from '../engine.ts'

const run = promisify(execFile)

/** The version that is started unless another one is asked for. */
export const defaultCassandraVersion = '5.0.8'

/** A fetched Cassandra. */
export interface CassandraJars {
  readonly folder: string
  /** The Java agent that 4.1 measures its memory with. */
  readonly memoryMeter?: string
}

const pomOf = (version: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>taskledger</groupId><artifactId>cassandra-runtime</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`

const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'

const fetchJars = async (draft: string, version: string, javaHome: string): Promise<void> => {
  await mkdir(draft, { recursive: true })
  await writeFile(join(draft, 'pom.xml'), pomOf(version))
  const args = ['-B', '-q', copyDependencies, '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]
  try {
    await run('mvn', args, { cwd: draft, env: { ...process.env, JAVA_HOME: javaHome }, timeout: 600_000, maxBuffer: 64 * 1024 * 1024 })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new ServerNotAvailable('Maven, which fetches Cassandra, is not on this machine', 'Install it (Debian: apt-get install maven)', {
        cause: error,
      })
    }
    const said =
      error instanceof Error && 'stdout' in error ? String(error.stdout).trim().split('\n').slice(0, 5).join('\n') : String(error)
    throw new ServerNotAvailable(`Maven could not fetch Cassandra: ${said}`, 'Check that Maven reaches its repository', { cause: error })
  }
}

/** Cassandra with its dependencies, about 70 MB that all runs share. Fetches them where they are missing. */
export const cassandraJars = async (version: string, javaHome: string, say: Say): Promise<CassandraJars> => {
  const folder = join(serversFolder, `cassandra-${version}`)
  await installOnce(folder, async (draft) => {
    say(`Fetching Cassandra ${version} with Maven: some 100 MB, 10 to 60 s the first time`)
    await fetchJars(draft, version, javaHome)
  })
  if (!version.startsWith('4.')) return { folder }
  const meter = (await readdir(folder)).find((name) => /^jamm-.*\.jar$/.test(name))
  return meter === undefined ? { folder } : { folder, memoryMeter: join(folder, meter) }
}
