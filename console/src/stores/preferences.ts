import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import { readStored, writeStored } from '@/composables/stored'

interface Saved {
  theme: 'light' | 'dark' | 'system'
  largeType: boolean
  railCollapsed: boolean
}

const KEY = 'citymind.preferences'

/** How this person likes the console; public/theme.js reads the same key before the first paint. */
export const usePreferences = defineStore('preferences', () => {
  const saved = readStored<Partial<Saved>>(KEY, {})
  const system = matchMedia('(prefers-color-scheme: dark)')
  const theme = ref<Saved['theme']>(saved.theme ?? 'system')
  const dark = ref(theme.value === 'dark' || (theme.value === 'system' && system.matches))
  const largeType = ref(saved.largeType ?? false)
  const railCollapsed = ref(saved.railCollapsed ?? false)

  system.addEventListener('change', () => {
    if (theme.value === 'system') dark.value = system.matches
  })

  function switchTheme(): void {
    dark.value = !dark.value
    theme.value = dark.value ? 'dark' : 'light'
  }

  watch(
    [theme, dark, largeType, railCollapsed],
    () => {
      document.documentElement.classList.toggle('dark', dark.value)
      document.documentElement.classList.toggle('large-type', largeType.value)
      writeStored(KEY, {
        theme: theme.value,
        largeType: largeType.value,
        railCollapsed: railCollapsed.value,
      } satisfies Saved)
    },
    { immediate: true },
  )

  return { dark, largeType, railCollapsed, switchTheme }
})
