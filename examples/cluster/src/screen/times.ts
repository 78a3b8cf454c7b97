/** A short duration: `4 s`, `12 min`, `3 h`. */
export const durationOf = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

/** A duration that does not change any more: with tenths of a second if it was short. */
export const exactDurationOf = (ms: number): string => (ms < 10_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : durationOf(ms))

/** The local time: `14:03:59`. */
export const timeOf = (at: number): string => new Date(at).toLocaleTimeString('en-GB', { hour12: false })
