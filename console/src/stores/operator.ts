import { defineStore } from 'pinia'
import { ref } from 'vue'
import { useOperatorGate } from '@/api/client'
import { useStatus } from './status'

const KEY = 'citymind.operator'

/** The operator's key: kept for this tab only, asked for when the server wants it. */
export const useOperator = defineStore('operator', () => {
  const asking = ref(false)
  const rejected = ref(false)
  let waiting: ((given: boolean) => void)[] = []

  const key = () => sessionStorage.getItem(KEY)

  function request(): Promise<boolean> {
    // A key that was sent and still not accepted is a wrong key.
    rejected.value = key() !== null
    sessionStorage.removeItem(KEY)
    asking.value = true
    return new Promise((resolve) => waiting.push(resolve))
  }

  function finish(given: string | null): void {
    const value = given?.trim()
    if (value) sessionStorage.setItem(KEY, value)
    asking.value = false
    for (const resolve of waiting) resolve(Boolean(value))
    waiting = []
    if (value) void useStatus().refresh()
  }

  function install(): void {
    useOperatorGate({ key, request })
  }

  return { asking, rejected, request, finish, install }
})
