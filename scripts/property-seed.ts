// Property tests try the same cases on every run; HOTSPAN_PROPERTY_SEED=random (or a number) looks for new ones.
import fc from 'fast-check'

const { HOTSPAN_PROPERTY_SEED: given = '1' } = process.env
if (given !== 'random') fc.configureGlobal({ seed: Number(given) })
