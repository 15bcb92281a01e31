import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import { type ApiError, toApiError } from '@/api/errors'
import type { Status } from '@/api/types'

const WHILE_AWAY = 3_000
/** Clauses are being embedded: how many are left changes while one looks. */
const WHILE_EMBEDDING = 5_000
const OTHERWISE = 60_000

/** What this installation is and runs on; asked for again while demonstration data is still being loaded. */
export const useStatus = defineStore('status', () => {
  const status = ref<Status | null>(null)
  const error = ref<ApiError | null>(null)
  let timer = 0

  const city = computed(() => status.value?.city ?? '')

  async function refresh(): Promise<void> {
    clearTimeout(timer)
    try {
      status.value = await api.status()
      error.value = null
    } catch (thrown) {
      error.value = toApiError(thrown)
    }
    // An older server says nothing of models.
    const otherwise = status.value?.model?.waiting ? WHILE_EMBEDDING : OTHERWISE
    timer = window.setTimeout(() => void refresh(), error.value ? WHILE_AWAY : otherwise)
  }

  return { status, error, city, refresh }
})
