import type { Store } from '../store.ts'

const pollMs = 50

/**
 * A BACKUP or RESTORE statement, run beside the queries and waited for: it may take longer than a statement may. Throws with the
 * engine's reason.
 */
export async function engineJob(store: Store, statement: string, signal?: AbortSignal): Promise<void> {
  const answer = await store.client.query({ query: `${statement} ASYNC`, format: 'JSONEachRow' })
  const id = (await answer.json<{ id: string }>())[0]?.id ?? ''
  for (;;) {
    signal?.throwIfAborted()
    const state = await store.client.query({
      query: 'SELECT status, error FROM system.backups WHERE id = {id:String}',
      query_params: { id },
      format: 'JSONEachRow',
    })
    const row = (await state.json<{ status: string; error: string }>())[0]
    if (row === undefined) throw new Error('the engine was restarted meanwhile')
    if (/^(?:BACKUP_CREATED|RESTORED)$/.test(row.status)) return
    if (/FAILED|CANCELLED/.test(row.status)) throw new Error(row.error)
    await new Promise((done) => setTimeout(done, pollMs))
  }
}
