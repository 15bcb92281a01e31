import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import { type ApiError, toApiError } from '@/api/errors'
import type { SessionSummary } from '@/api/types'
import { useToasts } from './toasts'

/** This browser's own conversations, newest first. */
export const useHistory = defineStore('history', () => {
  const sessions = ref<SessionSummary[]>([])
  const total = ref(0)
  const loading = ref(false)
  const error = ref<ApiError | null>(null)
  let page = 0

  const more = computed(() => sessions.value.length < total.value)

  async function load(next: number): Promise<void> {
    loading.value = true
    try {
      const result = await api.sessions(next)
      const known = next === 1 ? [] : sessions.value
      const seen = new Set(known.map((s) => s.id))
      sessions.value = [...known, ...result.items.filter((s) => !seen.has(s.id))]
      total.value = result.total
      page = next
      error.value = null
    } catch (thrown) {
      error.value = toApiError(thrown)
    } finally {
      loading.value = false
    }
  }

  const refresh = () => load(1)
  const loadMore = () => load(page + 1)

  /** Takes a conversation off the list at once; the toast can bring it back. */
  async function remove(session: SessionSummary): Promise<boolean> {
    const toasts = useToasts()
    const before = sessions.value
    sessions.value = before.filter((s) => s.id !== session.id)
    try {
      await api.deleteSession(session.id)
      total.value -= 1
    } catch (thrown) {
      sessions.value = before
      toasts.failure(toApiError(thrown))
      return false
    }
    toasts.undoable(`已删除“${session.title}”`, async () => {
      try {
        await api.restoreSession(session.id)
        await refresh()
      } catch (thrown) {
        toasts.failure(toApiError(thrown))
      }
    })
    return true
  }

  return { sessions, total, loading, error, more, refresh, loadMore, remove }
})
