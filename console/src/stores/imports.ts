import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import type { ImportSummary } from '@/api/types'
import { useSession } from './session'

/** Imports still running, for the top bar. Watched only by those who may: citizens neither see nor ask for them. */
export const useImports = defineStore('imports', () => {
  const recent = ref<ImportSummary[]>([])
  const running = computed(() => recent.value.filter((i) => i.state === 'running'))
  let timer = 0

  async function refresh(): Promise<void> {
    clearTimeout(timer)
    if (useSession().may('knowledge.imports')) {
      try {
        recent.value = (await api.runningImports()).items
      } catch {
        // The page of imports shows errors; the top bar merely stays as it was.
      }
    } else recent.value = []
    timer = window.setTimeout(() => void refresh(), running.value.length > 0 ? 1500 : 20_000)
  }

  return { recent, running, refresh }
})
