interface Platform {
  readonly process?: { getBuiltinModule?(name: string): object | undefined }
}

/**
 * A module of the platform, or what there is of it; `undefined` on a platform without it. It is not imported, since core runs on any
 * platform: whoever asks has to do without it.
 */
export const builtinModule = <Module extends object>(name: string): Partial<Module> | undefined =>
  (globalThis as Platform).process?.getBuiltinModule?.(name)
