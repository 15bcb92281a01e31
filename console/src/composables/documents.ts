import { api } from '@/api/client'
import type { DocumentDetail } from '@/api/types'

const KEPT = 12
const cache = new Map<string, Promise<DocumentDetail>>()

/** A document, fetched once for the marks of an answer that point into it. Failures are not kept. */
export function documentOnce(id: string): Promise<DocumentDetail> {
  const known = cache.get(id)
  if (known) return known
  const loading = api.document(id)
  cache.set(id, loading)
  loading.catch(() => cache.delete(id))
  if (cache.size > KEPT) cache.delete(cache.keys().next().value!)
  return loading
}

export function forgetDocument(id: string): void {
  cache.delete(id)
}
