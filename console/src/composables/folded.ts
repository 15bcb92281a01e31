import { type Ref, onMounted, onUnmounted, ref } from 'vue'

/** A passage held to a few lines: whether something is cut off, known only once it is laid out, and whether it is open. */
export function useFolded(element: Ref<HTMLElement | null>) {
  const open = ref(false)
  const cut = ref(false)
  const observer = new ResizeObserver(() => {
    const shown = element.value
    if (shown && !open.value) cut.value = shown.scrollHeight > shown.clientHeight + 1
  })
  onMounted(() => element.value && observer.observe(element.value))
  onUnmounted(() => observer.disconnect())
  return { open, cut }
}
