import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { administration } from '@/api/administration'
import { listAddress } from '@/composables/listPage'
import { useFormDraft } from '@/composables/formDraft'
import { asCsv } from '@/composables/tableColumns'
import { useSession } from '@/stores/session'

let who: string | null = null
let passwordsTaken = true
const sent: string[] = []

function respond(url: string, init?: RequestInit): Response {
  const path = new URL(url, 'http://console.test').pathname.replace('/api/v1', '')
  sent.push(`${init?.method ?? 'GET'} ${path}`)
  const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status })
  if (path === '/auth/me') {
    const account = who && { id: who, name: who, roles: ['clerk'], departments: [], verified: false, via: 'sign_in' }
    return json({ account, user: who ? { id: who, login: who } : null, capabilities: who ? ['users.list'] : [], needs_setup: false })
  }
  if (path === '/auth/sign-in') {
    if (!passwordsTaken) return json({ code: 'sign_in_failed', title: '登录失败', detail: '不正确' }, 401)
    who = (JSON.parse(String(init?.body)) as { login: string }).login
    return json({ id: who })
  }
  if (path === '/auth/sign-out') {
    who = null
    return new Response(null, { status: 204 })
  }
  if (path === '/users') return who ? json({ items: [], total: 0 }) : json({ code: 'sign_in_required', detail: '要登录' }, 401)
  return json({ items: [], total: 0 })
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('the session', () => {
  beforeEach(() => {
    who = null
    passwordsTaken = true
    sent.length = 0
    vi.stubGlobal('fetch', (url: string, init?: RequestInit) => Promise.resolve(respond(url, init)))
    setActivePinia(createPinia())
    useSession().install()
  })
  afterEach(() => vi.unstubAllGlobals())

  it('knows who is here and what they may', async () => {
    const session = useSession()
    await session.known()
    expect(session.signedIn).toBe(false)
    expect(session.may('users.list')).toBe(false)
    await session.signIn('zhang', 'x')
    expect(session.account?.name).toBe('zhang')
    expect(session.may('users.list')).toBe(true)
    await session.signOut()
    expect(session.signedIn).toBe(false)
  })

  it('asks in place and sends again what was refused', async () => {
    const session = useSession()
    await session.signIn('zhang', 'x')
    who = null
    const answer = administration.users({})
    await tick()
    expect(session.asking).toBe(true)
    expect(session.account?.name, 'the page stays as it is').toBe('zhang')
    await session.signIn('zhang', 'x')
    expect((await answer).total).toBe(0)
    expect(session.asking).toBe(false)
  })

  it('sends nothing of one person in the name of another', async () => {
    const session = useSession()
    await session.signIn('zhang', 'x')
    who = null
    const answer = administration.users({})
    await tick()
    const before = sent.filter((s) => s === 'GET /users').length
    await session.signIn('li', 'x')
    await expect(answer).rejects.toMatchObject({ code: 'sign_in_required' })
    expect(sent.filter((s) => s === 'GET /users').length).toBe(before)
  })

  it('lets one decline, and then knows better at the next page', async () => {
    const session = useSession()
    await session.signIn('zhang', 'x')
    who = null
    const answer = administration.users({})
    await tick()
    session.dismiss()
    await expect(answer).rejects.toMatchObject({ status: 401 })
    await session.known()
    expect(session.signedIn).toBe(false)
  })

  it('does not take a wrong password for the end of a sign-in', async () => {
    passwordsTaken = false
    await expect(useSession().signIn('zhang', 'x')).rejects.toMatchObject({ code: 'sign_in_failed' })
    expect(useSession().asking).toBe(false)
  })
})

describe('lists, drafts and exports', () => {
  it('come back the same from the address', () => {
    const address = listAddress(['text', 'state'] as const)
    const filters = { text: '张 & 李', state: 'active', page: 3, pageSize: 50 }
    expect(address.read(JSON.parse(JSON.stringify(address.write(filters))))).toEqual(filters)
    expect(address.read({ page: '-1', size: '7', text: ['a', 'b'] })).toEqual({ text: 'a', state: '', page: 1, pageSize: 20 })
    expect(address.isFiltered({ text: '', state: '', page: 9, pageSize: 20 })).toBe(false)
  })

  it('keep what is typed until it is sent', async () => {
    localStorage.clear()
    const empty = { name: '', roles: [] as string[] }
    const first = useFormDraft('t', empty)
    first.form.name = '甲'
    first.form.roles.push('clerk')
    await nextTick()
    expect(useFormDraft('t', empty).form).toEqual({ name: '甲', roles: ['clerk'] })
    expect(useFormDraft('t', { name: '', roles: '' }).form, 'another shape begins anew').toEqual({ name: '甲', roles: '' })
    first.clear()
    expect(useFormDraft('t', empty).form).toEqual(empty)
    expect(localStorage.getItem('citymind.forms')).toBe('{}')
  })

  it('disarm what a spreadsheet would run', () => {
    const csv = asCsv([{ a: '=1+1' }], [{ key: 'a', label: '甲', value: (r: { a: string }) => r.a }])
    expect(csv).toBe("\uFEFF甲\r\n'=1+1\r\n")
  })
})
