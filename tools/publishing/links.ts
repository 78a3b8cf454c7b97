/** A page with its relative links changed; where a link becomes undefined, its text stays. Code stays as it is. */
export const changeLinks = (markdown: string, change: (link: string) => string | undefined): string =>
  markdown
    .split(/(^ *```[^]*?^ *```$|`[^`\n]*`)/m)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part.replaceAll(/\]\((?!#|[a-z][a-z+.-]*:)([^()\s]+)\)/gi, (_, link: string) => {
            const changed = change(link)
            return changed === undefined ? ']' : `](${changed})`
          }),
    )
    .join('')
