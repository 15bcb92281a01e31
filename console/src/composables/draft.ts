import { type Ref, ref, watch } from 'vue'
import { readStored, writeStored } from './stored'

const KEY = 'citymind.drafts'
const KEPT = 30

type Drafts = Record<string, string>

/**
 * The text being typed, kept per conversation, so that a reload or a wrong click loses nothing.
 * `carry` tells whether a change of conversation is only a new one getting its id: then the text goes along.
 */
export function useDraft(conversation: Ref<string | null>, carry: () => boolean): Ref<string> {
  const name = () => conversation.value ?? 'new'
  const text = ref(readStored<Drafts>(KEY, {})[name()] ?? '')
  let current = name()

  watch(conversation, () => {
    const going = carry() ? text.value : ''
    if (going !== '') text.value = ''
    current = name()
    if (going !== '') {
      text.value = going
      return
    }
    text.value = readStored<Drafts>(KEY, {})[current] ?? ''
  })

  watch(
    text,
    (value) => {
      const drafts = readStored<Drafts>(KEY, {})
      delete drafts[current]
      if (value !== '') drafts[current] = value
      writeStored(KEY, Object.fromEntries(Object.entries(drafts).slice(-KEPT)))
    },
    { flush: 'sync' },
  )
  return text
}
