/** `4 s`, `12 min`, `3 h`: as short as can be. */
export const durationOf = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

/** The same of what is over and changes no more: with tenths of a second where it was quick. */
export const exactDurationOf = (ms: number): string => (ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : durationOf(ms))

/** `14:03:59`, as the clock on the wall has it. */
export const timeOf = (at: number): string => new Date(at).toLocaleTimeString('en-GB', { hour12: false })
