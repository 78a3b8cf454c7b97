/**
 * What could forge a line of a log, or change what a terminal shows: control characters, line separators, marks that reverse the direction
 * of text, and halves of surrogate pairs.
 */
const unsafe = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A text from outside as logs and errors may show it: on one line, with escapes in place of what a terminal would act on. */
export const escaped = (text: string): string =>
  text.replace(unsafe, (character) => shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
