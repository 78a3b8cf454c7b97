import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the project lives and who answers for it. The owner fills both in, in the root package.json; until then they are empty. */
export interface Address {
  /** `https://github.com/OWNER/NAME`. */
  readonly repository: string
  /** An e-mail address for reports of security problems and of conduct. */
  readonly contact: string
}

/** Pages that people read before they look into a package.json. */
const pagesWithContact = ['SECURITY.md', 'CODE_OF_CONDUCT.md']

/** Reads the address from the package.json in the folder `root`. */
export const readAddress = (root: string): Address => {
  const { repository = '', bugs } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly repository?: string
    readonly bugs?: { readonly email?: string }
  }
  return { repository, contact: bugs?.email ?? '' }
}

/** What the owner still has to fill in before a release, one sentence each. */
export const missingForRelease = (root: string): readonly string[] => {
  const { repository, contact } = readAddress(root)
  const missing: string[] = []
  if (!/^https:\/\/github\.com\/[^/]+\/[^/]+(?<!\.git)$/.test(repository))
    missing.push(`"repository" in package.json is ${JSON.stringify(repository)}: give https://github.com/OWNER/NAME`)
  if (!/^\S+@\S+$/.test(contact)) {
    missing.push(`"bugs.email" in package.json is ${JSON.stringify(contact)}: give the address to which people report security problems`)
  } else {
    for (const page of pagesWithContact)
      if (!readFileSync(join(root, page), 'utf8').includes(contact))
        missing.push(`${page} does not name ${contact}: write the "bugs.email" of package.json where the page says CONTACT ADDRESS`)
  }
  return missing
}
