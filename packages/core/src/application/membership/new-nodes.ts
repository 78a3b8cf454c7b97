/** For how many `renewMs` a node counts as new that is not known to share storage and messaging. */
export const newRenewals = 2
