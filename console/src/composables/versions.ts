import { type Ref, ref, watch } from 'vue'
import { api } from '@/api/client'
import { type ApiError, isAbort, toApiError } from '@/api/errors'
import type { Versions } from '@/api/types'

/** The versions of a document, their statuses told for a day (today if empty). */
export function useVersions(id: Ref<string>, asOf: Ref<string>) {
  const versions = ref<Versions | null>(null)
  const error = ref<ApiError | null>(null)
  let controller = new AbortController()

  async function load(): Promise<void> {
    controller.abort()
    const own = new AbortController()
    controller = own
    try {
      const found = await api.versions(id.value, asOf.value, own.signal)
      if (own.signal.aborted) return
      versions.value = found
      error.value = null
    } catch (thrown) {
      if (isAbort(thrown)) return
      versions.value = null
      error.value = toApiError(thrown)
    }
  }
  watch([id, asOf], load, { immediate: true })
  return { versions, error, load }
}
