// Documents for the walks, by the API with the cookies of a page.
import assert from 'node:assert/strict'
import { URL_BASE } from './browser.mjs'

export const LOOKS = [390, 1366].flatMap((width) => ['light', 'dark'].map((theme) => ({ width, theme })))

/** The API with the cookies of a page. */
export async function call(page, method, path, options = {}) {
  const response = await page.request.fetch(`${URL_BASE}/api/v1${path}`, { method, ...options })
  assert.ok(response.ok(), `${method} ${path}: ${await response.text()}`)
  return response.json()
}

export async function found(page, title) {
  const { items } = await call(page, 'GET', `/knowledge/documents?q=${encodeURIComponent(title)}`)
  return items.filter((d) => d.title.includes(title))
}

/** Imports a file and waits until it is in. */
export async function upload(page, name, text) {
  const file = { name, mimeType: 'text/markdown', buffer: Buffer.from(text) }
  const { id } = await call(page, 'POST', '/knowledge/imports', { multipart: { file } })
  for (;;) {
    const now = await call(page, 'GET', `/knowledge/imports/${id}`)
    if (now.state !== 'running') return now.rows[0].document
  }
}

/** Takes what a walk brought in out again, so that the demonstration city stays as it was. */
export async function clear(page, title) {
  for (const { id } of await found(page, title)) await call(page, 'DELETE', `/knowledge/documents/${id}`)
}
