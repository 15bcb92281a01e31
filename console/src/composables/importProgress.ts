import { type Ref, onScopeDispose, ref, watch } from 'vue'
import { api } from '@/api/client'
import { type ApiError, isAbort, toApiError } from '@/api/errors'
import type { Import, ImportRowState } from '@/api/types'
import { useImports } from '@/stores/imports'

const POLL = 2_000
const RELOAD_AT_MOST_EVERY = 1_000

/** One import on the screen: a page of its rows, kept current by events, or by asking again when those fail. */
export function useImportProgress(id: Ref<string>, page: Ref<number>, pageSize: Ref<number>, state: Ref<ImportRowState | ''>) {
  const current = ref<Import | null>(null)
  const error = ref<ApiError | null>(null)
  let following: AbortController | null = null
  let loading: AbortController | null = null
  let reloadTimer = 0
  let pollTimer = 0

  const running = () => current.value?.state === 'running'

  async function load(): Promise<void> {
    loading?.abort()
    const own = new AbortController()
    loading = own
    try {
      current.value = await api.import(id.value, page.value, pageSize.value, state.value, own.signal)
      error.value = null
    } catch (thrown) {
      if (!isAbort(thrown)) error.value = toApiError(thrown)
    }
  }

  /** A progress event carries only the rows that changed: those on this page are replaced in place. */
  function apply(change: Import): void {
    const shown = current.value
    if (!shown) return
    const changed = new Map(change.rows.map((row) => [row.path, row]))
    const rows = shown.rows.map((row) => changed.get(row.path) ?? row)
    current.value = { ...change, rows, rows_total: state.value === '' ? change.rows_total : shown.rows_total }
    const onPage = new Set(shown.rows.map((row) => row.path))
    const elsewhere = change.rows.some((row) => !onPage.has(row.path))
    // With a filter, or with rows not seen before, only the server knows what belongs on this page.
    if (state.value !== '' || (elsewhere && shown.rows.length < pageSize.value)) reloadSoon()
  }

  function reloadSoon(): void {
    if (reloadTimer) return
    reloadTimer = window.setTimeout(() => {
      reloadTimer = 0
      void load()
    }, RELOAD_AT_MOST_EVERY)
  }

  async function follow(): Promise<void> {
    following?.abort()
    const own = new AbortController()
    following = own
    try {
      await api.followImport(id.value, (_event, data) => apply(data), own.signal)
    } catch (thrown) {
      if (isAbort(thrown)) return
    }
    if (own.signal.aborted) return
    await load()
    void useImports().refresh()
    if (running()) poll(own.signal)
  }

  function poll(signal: AbortSignal): void {
    pollTimer = window.setTimeout(async () => {
      if (signal.aborted) return
      await load()
      if (!signal.aborted && (error.value || running())) poll(signal)
    }, POLL)
  }

  function stop(): void {
    following?.abort()
    loading?.abort()
    clearTimeout(reloadTimer)
    clearTimeout(pollTimer)
    reloadTimer = 0
  }

  watch(
    id,
    async () => {
      stop()
      current.value = null
      await load()
      if (running()) void follow()
    },
    { immediate: true },
  )
  watch([page, pageSize, state], () => void load())
  onScopeDispose(stop)

  async function cancel(): Promise<void> {
    await api.cancelImport(id.value)
    await load()
  }

  return { current, error, load, cancel }
}
