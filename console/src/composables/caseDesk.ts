import { type Ref, computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { type ApiError, isAbort, toApiError } from '@/api/errors'
import { cases } from '@/api/service'
import type { CaseView } from '@/api/types'

/** The case that is open, by its id in the address. */
export function useOpenCase(id: () => string) {
  const view = ref(null) as Ref<CaseView | null>
  const error = ref<ApiError | null>(null)
  let controller = new AbortController()

  async function load(): Promise<void> {
    controller.abort()
    const own = new AbortController()
    controller = own
    error.value = null
    if (id() === '') {
      view.value = null
      return
    }
    try {
      view.value = await cases.get(id(), own.signal)
    } catch (thrown) {
      if (isAbort(thrown)) return
      view.value = null
      error.value = toApiError(thrown)
    }
  }
  watch(id, load, { immediate: true })
  return { view, error, load }
}

/** A choice within a list, kept in the address beside the list's own filters. */
export function useChosen(name = 'id') {
  const route = useRoute()
  const router = useRouter()
  const chosen = computed(() => {
    const value = route.query[name]
    return typeof value === 'string' ? value : ''
  })
  function choose(id: string): void {
    const { [name]: _, ...rest } = route.query
    void router.replace({ query: id === '' ? rest : { ...rest, [name]: id } })
  }
  return { chosen, choose }
}
