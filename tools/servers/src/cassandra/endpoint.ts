export interface CassandraEndpoint {
  /** Each `host:port`. */
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  readonly credentials?: { readonly username: string; readonly password: string }
  /** As the server gives it: `5.0.8`. */
  readonly version: string
}
