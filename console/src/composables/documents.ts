import { api } from '@/api/client'
import type { DocumentDetail } from '@/api/types'

const KEPT = 12
const cache = new Map<string, Promise<DocumentDetail>>()

/** A document, fetched once for the marks of an answer that point into it; its status is told for a day. Failures are not kept. */
export function documentOnce(id: string, asOf = ''): Promise<DocumentDetail> {
  const key = `${id} ${asOf}`
  const known = cache.get(key)
  if (known) return known
  const loading = api.document(id, asOf)
  cache.set(key, loading)
  loading.catch(() => cache.delete(key))
  if (cache.size > KEPT) cache.delete(cache.keys().next().value!)
  return loading
}

/** It changed, and with it what stands around it: versions and relations tell of one another. */
export function forgetDocuments(): void {
  cache.clear()
}
