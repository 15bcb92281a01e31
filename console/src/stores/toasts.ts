import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { ApiError } from '@/api/errors'

export interface Toast {
  id: number
  kind: 'info' | 'success' | 'error'
  message: string
  action?: { label: string; run: () => void | Promise<void> }
}

/** Short messages at the foot of the page; one that offers an undo stays longer. */
export const useToasts = defineStore('toasts', () => {
  const toasts = ref<Toast[]>([])
  const timers = new Map<number, number>()
  let next = 1

  function show(message: string, options: Partial<Omit<Toast, 'id' | 'message'>> & { seconds?: number } = {}): number {
    const id = next++
    const { seconds, ...rest } = options
    toasts.value = [...toasts.value.slice(-3), { id, kind: 'info', message, ...rest }]
    const lasts = seconds ?? (options.action || options.kind === 'error' ? 10 : 4)
    timers.set(id, window.setTimeout(() => dismiss(id), lasts * 1000))
    return id
  }

  function dismiss(id: number): void {
    clearTimeout(timers.get(id))
    timers.delete(id)
    toasts.value = toasts.value.filter((toast) => toast.id !== id)
  }

  /** While someone reads or reaches for a toast, it does not vanish. */
  function hold(id: number): void {
    clearTimeout(timers.get(id))
  }

  function release(id: number): void {
    clearTimeout(timers.get(id))
    timers.set(id, window.setTimeout(() => dismiss(id), 4000))
  }

  const success = (message: string) => show(message, { kind: 'success' })
  const failure = (error: ApiError) => show(`${error.title}：${error.detail}`, { kind: 'error' })
  const undoable = (message: string, undo: () => void | Promise<void>) =>
    show(message, { action: { label: '撤销', run: undo } })

  return { toasts, show, dismiss, hold, release, success, failure, undoable }
})
