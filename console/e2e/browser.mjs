// Shared by the walks: a browser, pages that fail on console errors, and the checks every page must pass.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

export const URL_BASE = (process.env.CITYMIND_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
export const OUT = process.env.E2E_OUT ?? './e2e-out'
export const VIEWPORTS = { 390: [390, 844], 1366: [1366, 768], 3840: [3840, 2160] }
/** Sizes that single walks go through besides. */
export const SIZES = { ...VIEWPORTS, 1280: [1280, 800] }
mkdirSync(OUT, { recursive: true })

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: ARGS })
}

/**
 * A page in a fresh visit (own storage; own cookies, or those of `as`). `expected` are patterns of console messages
 * that a walk provokes on purpose.
 */
export async function visit(browser, { width = 1366, theme = 'light', expected = [], as } = {}) {
  const [w, h] = SIZES[width]
  const context = await browser.newContext({
    viewport: { width: w, height: h },
    colorScheme: theme,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    hasTouch: width === 390,
    isMobile: width === 390,
    storageState: as,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const errors = []
  const note = (text) => expected.some((pattern) => pattern.test(text)) || errors.push(text)
  page.on('console', (message) => message.type() === 'error' && note(message.text()))
  page.on('pageerror', (error) => note(String(error)))
  page.on('request', (request) => {
    const outside = /^https?:/.test(request.url()) && !request.url().startsWith(URL_BASE)
    if (outside) errors.push(`request to elsewhere: ${request.url()}`)
  })
  return {
    page,
    context,
    name: (label) => `${label}-${width}-${theme}`,
    open: (path) => page.goto(URL_BASE + path),
    /** Screenshot, no horizontal scroll, no serious accessibility violation, no console error so far. */
    async check(label) {
      await page.waitForTimeout(250)
      await page.screenshot({ path: join(OUT, `${label}-${width}-${theme}.png`) })
      await assertNoHorizontalScroll(page, label)
      await assertAccessible(page, label)
      assert.deepEqual(errors, [], `console errors on ${label}`)
    },
    close: () => context.close(),
  }
}

async function assertNoHorizontalScroll(page, label) {
  const wide = await page.evaluate(() => {
    const frames = [document.documentElement, document.body, document.getElementById('main')]
    return frames.filter((e) => e && e.scrollWidth > e.clientWidth + 1).map((e) => `${e.tagName} ${e.scrollWidth} > ${e.clientWidth}`)
  })
  assert.deepEqual(wide, [], `horizontal scroll on ${label}`)
}

async function assertAccessible(page, label) {
  // Evaluated rather than added as a script element: a strict content security policy must not hinder the check.
  await page.evaluate(axeSource)
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return result.violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | ')}`)
  })
  assert.deepEqual(found, [], `accessibility of ${label}`)
}

export const BIRTH_QUESTION = '我生二胎了，有没有政府给补贴的政策？'
export const MARS_QUESTION = '火星移民局的落户积分怎么算？'

/** Asks by the field and waits until the answer is complete. */
export async function ask(page, question) {
  const before = await page.locator('article.turn').count()
  await page.getByLabel('输入问题').fill(question)
  await page.keyboard.press('Enter')
  const turn = page.locator('article.turn').nth(before)
  await turn.locator('.tools').waitFor({ timeout: 60_000 })
  return turn
}
