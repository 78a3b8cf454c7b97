export interface AmqpEndpoint {
  /** With user, password and vhost. */
  readonly url: string
  /** As the server gives it: `3.10.8`. */
  readonly version: string
}
