import { defineStore } from 'pinia'
import { computed, nextTick, ref } from 'vue'
import type { Citation } from '@/api/types'

/**
 * The one panel that slides in from the right: it shows the evidence behind a mark, or how an answer came about.
 * It remembers what had the focus, so that closing it puts the reader back where they were.
 */
export const usePanel = defineStore('panel', () => {
  const content = ref<'evidence' | 'trace' | null>(null)
  const pinned = ref(false)
  const citations = ref<Citation[]>([])
  const index = ref(0)
  const trace = ref('')
  let opener: HTMLElement | null = null

  const citation = computed(() => citations.value[index.value] ?? null)

  function rememberOpener(): void {
    const active = document.activeElement
    if (active instanceof HTMLElement && !active.closest('#side-panel')) opener = active
  }

  function showEvidence(list: Citation[], n: number): void {
    rememberOpener()
    citations.value = list
    index.value = Math.max(0, list.findIndex((c) => c.n === n))
    content.value = 'evidence'
  }

  function showTrace(id: string): void {
    rememberOpener()
    trace.value = id
    content.value = 'trace'
  }

  function step(by: number): void {
    const next = index.value + by
    if (next >= 0 && next < citations.value.length) index.value = next
  }

  function close(): void {
    if (content.value === null) return
    content.value = null
    pinned.value = false
    const target = opener
    opener = null
    void nextTick(() => target?.isConnected && target.focus())
  }

  /** Closes unless pinned: on asking anew and on leaving the page. */
  function closeUnlessPinned(): void {
    if (!pinned.value) {
      opener = null
      close()
    }
  }

  return { content, pinned, citations, index, citation, trace, showEvidence, showTrace, step, close, closeUnlessPinned }
})
