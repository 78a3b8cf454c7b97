export type Role = 'worker' | 'submitter' | 'client'
export type Engine = 'cassandra' | 'rabbitmq'

/** The places of a run. When the process of a place ends, another one takes the place. */
export const places = ['worker-1', 'worker-2', 'worker-3', 'worker-4', 'submitter-1', 'submitter-2', 'client-1', 'client-2'] as const

export type Place = (typeof places)[number]

export const roleOf = (place: Place): Role => place.slice(0, place.indexOf('-')) as Role
