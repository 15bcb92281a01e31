import { nextTick } from 'vue'
import type { Router } from 'vue-router'

const PATIENCE_MS = 1_500

/**
 * The page scrolls within <main>, which outlives the pages: a new page starts at its top, and the way back leads to
 * where one was. On the way back the list has to be fetched first, so the place is tried until it exists.
 */
export function installPageScroll(router: Router, main: () => HTMLElement | null): void {
  const places = new Map<string, number>()
  let back = false

  router.options.history.listen((_to, _from, { delta }) => {
    back = delta < 0
  })
  router.beforeEach((to, from) => {
    if (to.path !== from.path) places.set(from.fullPath, main()?.scrollTop ?? 0)
  })
  router.afterEach(async (to, from, failure) => {
    const returning = back
    back = false
    if (failure || to.path === from.path) return
    await nextTick()
    const element = main()
    if (!element) return
    // What had the focus is gone with the old page: the keyboard goes on in the new one.
    if (document.activeElement === document.body) element.focus({ preventScroll: true })
    if (returning) restore(element, places.get(to.fullPath) ?? 0)
    else if (!to.query['clause']) element.scrollTop = 0
  })
}

function restore(element: HTMLElement, top: number): void {
  const until = performance.now() + PATIENCE_MS
  const attempt = () => {
    element.scrollTop = top
    if (Math.abs(element.scrollTop - top) > 1 && performance.now() < until) requestAnimationFrame(attempt)
  }
  attempt()
}
