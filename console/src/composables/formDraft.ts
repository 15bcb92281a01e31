import { reactive, watch } from 'vue'
import { readStored, writeStored } from './stored'

const KEY = 'citymind.forms'
const KEPT = 20

type Forms = Record<string, Record<string, unknown>>

/**
 * What is being typed into a form, kept in this browser until it is sent. Secrets must not be among the fields.
 * A field that an older console kept in another shape begins anew.
 */
export function useFormDraft<T extends Record<string, unknown>>(name: string, empty: T): { form: T; clear: () => void } {
  const kept = readStored<Forms>(KEY, {})[name] ?? {}
  const same = (a: unknown, b: unknown) => typeof a === typeof b && Array.isArray(a) === Array.isArray(b)
  const known = Object.entries(kept).filter(([key, value]) => key in empty && same(value, empty[key]))
  const form = reactive({ ...structuredClone(empty), ...Object.fromEntries(known) }) as T
  const blank = JSON.stringify(empty)

  function keep(): void {
    const { [name]: _, ...others } = readStored<Forms>(KEY, {})
    const now = JSON.stringify(form)
    const mine: Forms = now === blank ? {} : { [name]: JSON.parse(now) as Record<string, unknown> }
    writeStored(KEY, { ...Object.fromEntries(Object.entries(others).slice(1 - KEPT)), ...mine })
  }

  watch(() => form, keep, { deep: true, flush: 'sync' })

  function clear(): void {
    Object.assign(form, structuredClone(empty))
  }
  return { form, clear }
}
