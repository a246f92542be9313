import type { Pool } from 'pg'
import type { Faults } from '../faults.ts'
import type { Scoring } from '../recommendations/start-scoring.ts'
import type { Catalogue } from './catalogue.ts'

/** What the routes work with; made once when the API starts. */
export interface ShopContext {
  readonly pool: Pool
  readonly faults: Faults
  /** Address of the partner service that quotes shipping rates. */
  readonly partnerUrl: string
  readonly scoring: Scoring
  readonly catalogue: Catalogue
}
