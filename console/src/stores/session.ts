import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { auth } from '@/api/administration'
import { useSignInGate } from '@/api/client'
import { type ApiError, toApiError } from '@/api/errors'
import type { Me, RedeemInput } from '@/api/types'
import { useConversation } from './conversation'
import { useHistory } from './history'
import { useImports } from './imports'
import { useJobs } from './jobs'
import { usePanel } from './panel'
import { useStatus } from './status'
import { useToasts } from './toasts'

/** Who is signed in and what they may. Anyone may ask without it; whatever needs it asks for it in place. */
export const useSession = defineStore('session', () => {
  const me = ref<Me | null>(null)
  const error = ref<ApiError | null>(null)
  const asking = ref(false)
  let loading: Promise<void> | null = null
  let latest = 0
  // The sign-in has ended and nobody signed in again: who is here is asked for at the next page, not at once, for the
  // page on the screen may hold what somebody typed.
  let stale = false
  let waiting: ((again: boolean) => void)[] = []
  // Whose page this was when the sign-in ended: what they were about to do is not for somebody else to send.
  let before: string | null = null

  const account = computed(() => me.value?.account ?? null)
  const user = computed(() => me.value?.user ?? null)
  /** An identity provider has confirmed who this is: what handing in a form needs. */
  const verified = computed(() => account.value?.verified ?? false)
  const signedIn = computed(() => account.value !== null)
  const needsSetup = computed(() => me.value?.needs_setup ?? false)
  const providers = computed(() => me.value?.providers ?? [])
  const allowed = computed(() => new Set(me.value?.capabilities ?? []))
  const managesKnowledge = computed(() => may('knowledge.upload'))

  const may = (capability: string) => allowed.value.has(capability)

  function refresh(): Promise<void> {
    loading ??= load().finally(() => (loading = null))
    return loading
  }

  async function load(): Promise<void> {
    const own = ++latest
    try {
      const found = await auth.me()
      // Whoever was asked about before signing in must not come back over who signed in.
      if (own !== latest) return
      me.value = found
      stale = false
      error.value = null
    } catch (thrown) {
      if (own === latest) error.value = toApiError(thrown)
    }
  }

  /** Known at last, or not to be known: what a page waits for before it says that someone may not see it. */
  async function known(): Promise<void> {
    if (me.value === null || stale) await refresh()
  }

  /** Whatever hangs on who one is, anew. */
  async function changed(): Promise<void> {
    await load()
    void useStatus().refresh()
    void useHistory().refresh()
    void useImports().refresh()
    void useJobs().refresh()
  }

  async function signIn(login: string, password: string): Promise<void> {
    await auth.signIn(login, password)
    await entered()
  }

  async function redeem(input: RedeemInput): Promise<void> {
    await auth.redeem(input)
    await entered()
  }

  async function entered(): Promise<void> {
    const owner = before ?? account.value?.id ?? null
    await changed()
    // The conversation on the screen is somebody else's; one that was begun without a sign-in goes on as one's own.
    if (owner !== null && account.value?.id !== owner) useConversation().reset()
    if (asking.value) answer()
  }

  async function signOut(): Promise<void> {
    await auth.signOut()
    await forget()
  }

  /** The sign-in is gone: so is what only its owner may see. */
  async function forget(): Promise<void> {
    before = null
    usePanel().close()
    useConversation().reset()
    await changed()
  }

  /** A request was refused for want of a sign-in. */
  function request(): Promise<boolean> {
    if (!asking.value) {
      before = account.value?.id ?? null
      asking.value = true
    }
    return new Promise((resolve) => waiting.push(resolve))
  }

  function answer(): void {
    const same = before === null || account.value?.id === before
    if (!same) useToasts().show(`已换成“${account.value?.name ?? ''}”登录，刚才的操作没有提交，请核对后再做。`, { kind: 'error' })
    finish(same && signedIn.value)
  }

  function finish(again: boolean): void {
    asking.value = false
    before = null
    for (const resolve of waiting) resolve(again)
    waiting = []
  }

  function dismiss(): void {
    stale = true
    finish(false)
  }

  function install(): void {
    useSignInGate({ request })
  }

  return {
    me,
    error,
    asking,
    account,
    user,
    signedIn,
    verified,
    needsSetup,
    providers,
    managesKnowledge,
    may,
    known,
    refresh,
    signIn,
    redeem,
    signOut,
    forget,
    request,
    dismiss,
    install,
  }
})
