// The administrator of the walks: made by the set-up link of a new server, signed in on one that has it already.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from 'playwright-core'
import { OUT, URL_BASE } from './browser.mjs'

export const LOGIN = process.env.E2E_LOGIN ?? 'walker'
export const PASSWORD = process.env.E2E_PASSWORD ?? '漫步云江的清晨-2026'
const KEPT = join(OUT, 'administrator.json')

/** What follows `#` in the last set-up link that the server wrote into its log. */
export function setupSecret() {
  const log = process.env.E2E_LOG
  assert.ok(log, 'nobody can administer yet: say in E2E_LOG where the server writes its log')
  const links = [...readFileSync(log, 'utf8').matchAll(/\/setup#([0-9a-f]+)/g)]
  assert.ok(links.length > 0, `no set-up link in ${log}`)
  return links.at(-1)[1]
}

const me = async (context) => (await context.get(`${URL_BASE}/api/v1/auth/me`)).json()

export async function needsSetup() {
  const context = await request.newContext()
  const found = await me(context)
  await context.dispose()
  return found.needs_setup
}

/** Sends again what came too often; signing in is limited to so many a minute. */
export async function patiently(send) {
  for (let left = 30; ; left--) {
    const response = await send()
    if (response.status() !== 429 || left === 0) return response
    await new Promise((resolve) => setTimeout(resolve, 3_000))
  }
}

/** Cookies of somebody who is signed in. */
export async function signedIn(login, password) {
  const context = await request.newContext()
  const response = await patiently(() => context.post(`${URL_BASE}/api/v1/auth/sign-in`, { data: { login, password } }))
  assert.ok(response.ok(), `signing in as ${login}: ${await response.text()}`)
  const state = await context.storageState()
  await context.dispose()
  return state
}

/** Cookies of the administrator, whatever walk comes first. */
export async function administrator() {
  if (existsSync(KEPT)) {
    const state = JSON.parse(readFileSync(KEPT, 'utf8'))
    const context = await request.newContext({ storageState: state })
    const found = await me(context)
    await context.dispose()
    if (found.user?.login === LOGIN) return state
  }
  if (await needsSetup()) {
    const context = await request.newContext()
    const data = { secret: setupSecret(), login: LOGIN, name: '巡查员', password: PASSWORD }
    const response = await patiently(() => context.post(`${URL_BASE}/api/v1/auth/redeem`, { data }))
    assert.ok(response.ok(), `setting up: ${await response.text()}`)
    await context.dispose()
  }
  const state = await signedIn(LOGIN, PASSWORD)
  writeFileSync(KEPT, JSON.stringify(state))
  return state
}

/** The API as the administrator. */
export async function asAdministrator() {
  const context = await request.newContext({ storageState: await administrator() })
  const call = async (method, path, data) => {
    const response = await context.fetch(`${URL_BASE}/api/v1${path}`, { method, data })
    assert.ok(response.ok(), `${method} ${path}: ${await response.text()}`)
    return response.status() === 204 ? null : response.json()
  }
  return { call, close: () => context.dispose() }
}

/** A new account with its password, made by the API. */
export async function newUser(login, name, roles, password) {
  const api = await asAdministrator()
  const { user, link } = await api.call('POST', '/users', { login, name, roles })
  const context = await request.newContext()
  const data = { secret: link.path.split('#')[1], password }
  const response = await patiently(() => context.post(`${URL_BASE}/api/v1/auth/redeem`, { data }))
  assert.ok(response.ok(), await response.text())
  const state = await context.storageState()
  await context.dispose()
  await api.close()
  return { user, state }
}
