import { onScopeDispose } from 'vue'

/** Does something again and again while the page is seen, `soon` deciding how quickly. */
export function usePolling(again: () => Promise<void>, soon: () => boolean, quick = 2_000, slow = 15_000): void {
  let timer = 0
  let ended = false
  function plan(): void {
    timer = window.setTimeout(
      async () => {
        if (!document.hidden) await again()
        if (!ended) plan()
      },
      soon() ? quick : slow,
    )
  }
  plan()
  onScopeDispose(() => {
    ended = true
    clearTimeout(timer)
  })
}
