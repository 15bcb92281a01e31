import { type ComputedRef, type Ref, computed, ref, watch } from 'vue'
import { type LocationQuery, type LocationQueryRaw, useRoute, useRouter } from 'vue-router'
import { type ApiError, isAbort, toApiError } from '@/api/errors'
import type { Page } from '@/api/types'

export const LIST_SIZES = [20, 50, 100, 200]

/** Filters of a list as they stand in the address: words, empty where nothing is asked for. */
export type Filters<K extends string> = Record<K, string> & { page: number; pageSize: number }

/** Reads and writes the filters with these names; what is missing or senseless becomes the default. */
export function listAddress<K extends string>(keys: readonly K[]) {
  const word = (value: LocationQuery[string] | undefined) => (Array.isArray(value) ? value[0] : value) ?? ''
  return {
    read(query: LocationQuery): Filters<K> {
      const page = Number(word(query['page']))
      const size = Number(word(query['size']))
      return {
        ...(Object.fromEntries(keys.map((key) => [key, word(query[key])])) as Record<K, string>),
        page: Number.isInteger(page) && page > 0 ? page : 1,
        pageSize: LIST_SIZES.includes(size) ? size : 20,
      }
    },
    /** Only what differs from the default, so that addresses stay short enough to pass on. */
    write(filters: Filters<K>): LocationQueryRaw {
      const query: LocationQueryRaw = {}
      for (const key of keys) if (filters[key] !== '') query[key] = filters[key]
      if (filters.page !== 1) query['page'] = String(filters.page)
      if (filters.pageSize !== 20) query['size'] = String(filters.pageSize)
      return query
    },
    isFiltered: (filters: Filters<K>) => keys.some((key) => filters[key] !== ''),
  }
}

export interface ListPage<T, K extends string> {
  filters: ComputedRef<Filters<K>>
  filtered: ComputedRef<boolean>
  result: Ref<Page<T> | null>
  error: Ref<ApiError | null>
  loading: Ref<boolean>
  /** A page beyond the end: the list became shorter. */
  lost: ComputedRef<boolean>
  load: () => Promise<void>
  change: (part: Partial<Filters<K>>) => void
  clear: () => void
  all: (progress: (got: number, total: number) => void) => Promise<T[]>
}

/** A list with paging, its filters kept in the address. */
export function useListPage<T, K extends string>(
  keys: readonly K[],
  fetch: (filters: Filters<K>, signal?: AbortSignal) => Promise<Page<T>>,
): ListPage<T, K> {
  const route = useRoute()
  const router = useRouter()
  const here = route.path
  const address = listAddress(keys)
  const filters = computed(() => address.read(route.query))
  const result = ref(null) as Ref<Page<T> | null>
  const error = ref<ApiError | null>(null)
  const loading = ref(false)
  let controller = new AbortController()

  async function load(): Promise<void> {
    controller.abort()
    const own = new AbortController()
    controller = own
    loading.value = true
    try {
      result.value = await fetch(filters.value, own.signal)
      error.value = null
    } catch (thrown) {
      if (isAbort(thrown)) return
      error.value = toApiError(thrown)
    }
    loading.value = false
  }

  watch(
    filters,
    (now, before) => {
      // The address of the page that one goes to next is not this list's.
      if (route.path === here && JSON.stringify(now) !== JSON.stringify(before)) void load()
    },
    { immediate: true },
  )

  /** A change of anything but the page leads back to the first page. */
  function change(part: Partial<Filters<K>>): void {
    void router.push({ path: here, query: address.write({ ...filters.value, page: 1, ...part }) })
  }

  const nothing = Object.fromEntries(keys.map((key) => [key, ''])) as Partial<Filters<K>>
  const clear = () => change(nothing)

  async function all(progress: (got: number, total: number) => void): Promise<T[]> {
    const items: T[] = []
    for (let page = 1; ; page++) {
      const found = await fetch({ ...filters.value, page, pageSize: 200 })
      items.push(...found.items)
      progress(items.length, found.total)
      if (found.items.length === 0 || items.length >= found.total) return items
    }
  }

  return {
    filters,
    filtered: computed(() => address.isFiltered(filters.value)),
    result,
    error,
    loading,
    lost: computed(() => result.value !== null && result.value.total > 0 && result.value.items.length === 0),
    load,
    change,
    clear,
    all,
  }
}
