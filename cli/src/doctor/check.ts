/** One thing that a command needs. */
export interface DoctorCheck {
  readonly id: string
  /** `missing` breaks the commands of `neededBy`; `warning` works but worse. */
  readonly state: 'ok' | 'warning' | 'missing'
  /** What was found, or why it cannot be used. */
  readonly found: string
  /** The commands that need it. */
  readonly neededBy: string
  /** How to get it; `''` when it is there. */
  readonly fix: string
}

export const ok = (id: string, found: string, neededBy: string): DoctorCheck => ({
  id,
  state: 'ok',
  found,
  neededBy,
  fix: '',
})
