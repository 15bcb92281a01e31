// What the walks through guided handling share: answering what is asked, and signing in as a citizen.
import assert from 'node:assert/strict'
import { URL_BASE, ask } from './browser.mjs'

export const settled = (page, n) => page.locator('article.turn').nth(n).and(page.locator('[aria-busy="false"]')).waitFor({ timeout: 60_000 })

/** Does something that sends a message, and waits until it is answered. */
export async function said(page, act) {
  const before = await page.locator('article.turn').count()
  await act()
  await settled(page, before)
}

/** Answers one question by its first button or its example. */
export async function answerOne(page) {
  const asked = page.locator('.asked')
  const example = asked.locator('.example button')
  await said(page, async () => {
    if ((await example.count()) > 0) {
      await example.click()
      await asked.getByRole('button', { name: '确定' }).click()
    } else if ((await asked.locator('.check').count()) > 0) {
      await asked.locator('.check').first().click()
      await asked.getByRole('button', { name: '确定' }).click()
    } else await asked.locator('.choice').first().click()
  })
}

/** Answers by words what is asked, so that a condition can be met that the first button fails. */
export async function answerAll(page, words = {}) {
  for (let left = 40; left > 0 && (await page.locator('.asked').count()) > 0; left--) {
    const question = await page.locator('.asked .q').innerText()
    const known = Object.entries(words).find(([part]) => question.includes(part))
    if (known) await said(page, () => page.locator('.asked').getByRole('button', { name: known[1], exact: true }).click())
    else await answerOne(page)
  }
}

// The demonstration's provider knows the server by its own address, also while its console is served from elsewhere.
const SERVER = (process.env.E2E_SERVER ?? URL_BASE).replace(/\/$/, '')

/** Signs in at the demonstration's provider in a tab of its own; the cookie counts for this one as well. */
export async function confirmedBy(page, person) {
  const tab = await page.context().newPage()
  await tab.goto(`${SERVER}/api/v1/auth/oidc/demo?to=/`)
  await tab.getByRole('button', { name: person }).click()
  await tab.waitForURL((url) => !url.pathname.startsWith('/demo/'))
  await tab.waitForLoadState()
  await tab.close()
}

/** Asks by the field; the answer of a dialogue has no tools to wait for. */
export async function say(page, words) {
  await said(page, async () => {
    await page.getByLabel('输入问题').fill(words)
    await page.keyboard.press('Enter')
  })
}

/** Asks until the item is offered. */
export async function toOffer(page, question, item) {
  await ask(page, question)
  assert.ok((await page.locator('article.turn').last().locator('.citation-mark').count()) >= 1, 'the answer is cited')
  const offer = page.locator('.offer', { hasText: item })
  if ((await offer.count()) === 0) await ask(page, `${item}怎么办理？`)
  await offer.first().waitFor()
}
