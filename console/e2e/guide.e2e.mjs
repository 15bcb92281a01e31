// Guided handling: from a question to a case, and to the desk where it is decided.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator } from './administrator.mjs'
import { BIRTH_QUESTION, URL_BASE, ask, launch, visit } from './browser.mjs'

const RENT_QUESTION = '租房子要提取公积金怎么办？'
let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const settled = (page, n) => page.locator('article.turn').nth(n).and(page.locator('[aria-busy="false"]')).waitFor({ timeout: 60_000 })

/** Does something that sends a message, and waits until it is answered. */
async function said(page, act) {
  const before = await page.locator('article.turn').count()
  await act()
  await settled(page, before)
}

/** Answers one question by its first button or its example. */
async function answerOne(page) {
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
async function answerAll(page, words = {}) {
  for (let left = 40; left > 0 && (await page.locator('.asked').count()) > 0; left--) {
    const question = await page.locator('.asked .q').innerText()
    const known = Object.entries(words).find(([part]) => question.includes(part))
    if (known) await said(page, () => page.locator('.asked').getByRole('button', { name: known[1], exact: true }).click())
    else await answerOne(page)
  }
}

/** Signs in at the demonstration's provider in a tab of its own; the cookie counts for this one as well. */
async function confirmedBy(page, person) {
  const tab = await page.context().newPage()
  await tab.goto(`${URL_BASE}/api/v1/auth/oidc/demo?to=/`)
  await tab.getByRole('button', { name: person }).click()
  await tab.waitForURL((url) => !url.pathname.startsWith('/demo/'))
  await tab.waitForLoadState()
  await tab.close()
}

const RENT = { 自己的住房: '没有', 没还清的公积金贷款: '没有', 违规提取: '否' }

async function toOffer(page, question, item) {
  await ask(page, question)
  assert.ok((await page.locator('article.turn').last().locator('.citation-mark').count()) >= 1, 'the answer is cited')
  const offer = page.locator('.offer', { hasText: item })
  if ((await offer.count()) === 0) await ask(page, `${item}怎么办理？`)
  await offer.first().waitFor()
}

for (const { width, theme } of [
  { width: 1366, theme: 'light' },
  { width: 390, theme: 'dark' },
]) {
  test(`a mother is led to her allowance, and hands it in (${width}, ${theme})`, async () => {
    const v = await visit(browser, { width, theme })
    const { page } = v
    await v.open('/')
    await toOffer(page, BIRTH_QUESTION, '生育津贴申领')
    await v.check('guide-offer')
    const choice = page.locator('.offer').last()
    const named = choice.getByRole('button', { name: '生育津贴申领' })
    const begin = (await named.count()) > 0 ? named : choice.getByRole('button', { name: '申报', exact: true })
    await said(page, () => begin.click())
    await page.locator('.asked').waitFor()
    await v.check('guide-question')
    await answerAll(page)

    const review = page.locator('.review')
    await review.waitFor()
    assert.match(await review.innerText(), /÷ 30 × 产假天数158天 = 44766\.67元/)
    assert.match(await review.innerText(), /单位应补差额[\s\S]*3686\.66元/)
    await v.check('guide-review')

    // Reloading restores the form; a row is edited in place, and what follows is computed anew.
    await page.reload()
    await review.waitFor()
    await page.locator('[data-field="wage"] .edit').click()
    await page.locator('[data-field="wage"] input').fill('9500')
    await said(page, () => page.locator('[data-field="wage"]').getByRole('button', { name: '保存' }).click())
    await page.locator('[data-field="wage"].flash').waitFor()
    assert.match(await review.innerText(), /单位应补差额/)
    await v.check('guide-edited')

    await review.getByRole('button', { name: '登录后提交' }).click()
    await page.getByRole('dialog').waitFor()
    await v.check('guide-sign-in')
    await confirmedBy(page, '林晓雨')
    await page.reload()
    await said(page, () => page.getByRole('button', { name: '确认提交' }).click())
    const receipt = page.locator('.receipt')
    await receipt.waitFor()
    const number = await receipt.locator('.case-number').innerText()
    assert.match(number, /^BJ\d{8}-/)
    await v.check('guide-receipt')
    await receipt.getByRole('link', { name: '查看我的办件' }).click()
    await page.getByText(number).waitFor()
    await v.check('cases-mine')
    await page.locator('.list .entry').first().click()
    await page.locator('.history li').first().waitFor()
    await v.check('case-mine')
    await v.close()
  })
}

for (const { width, theme } of [
  { width: 1280, theme: 'dark' },
  { width: 3840, theme: 'light' },
]) {
  test(`a tenant is told what may be drawn, asks aside, and goes on (${width}, ${theme})`, async () => {
    const v = await visit(browser, { width, theme })
    const { page } = v
    await v.open('/')
    await toOffer(page, RENT_QUESTION, '住房公积金租房提取')
    // Taken up in words.
    await ask0(page, '需要，我的材料已经准备好了')
    await page.locator('.asked').waitFor()
    await said(page, () => page.locator('.asked').getByRole('button', { name: '没有', exact: true }).click())
    await ask0(page, '公积金贷款额度最高多少？')
    await page.locator('.asked.waiting', { hasText: '继续办理' }).waitFor()
    await v.check('guide-aside')
    await answerAll(page, RENT)
    await page.locator('.review').waitFor()
    const board = page.locator('.board')
    assert.match(await board.innerText(), /每人每月提取额度（合同未备案）：1500元（2024年7月1日起）|1500元/)
    await board.locator('.conditions .citation-mark').first().click()
    await page.locator('#side-panel .clause.here').first().waitFor()
    await v.check('guide-evidence')
    await page.keyboard.press('Escape')
    await v.check('guide-rent')
    await v.close()
  })
}

/** Asks by the field; the answer of a dialogue has no tools to wait for. */
async function ask0(page, words) {
  await said(page, async () => {
    await page.getByLabel('输入问题').fill(words)
    await page.keyboard.press('Enter')
  })
}

test('who owns a home is told why not, what differs, and may leave', async () => {
  const v = await visit(browser)
  const { page } = v
  await v.open('/')
  await ask0(page, '我要办理“住房公积金租房提取”')
  await said(page, () => page.locator('.asked').getByRole('button', { name: '有', exact: true }).click())
  await page.locator('.ineligible .nearest').waitFor()
  await v.check('guide-ineligible')
  await said(page, () => page.locator('.ineligible').getByRole('button', { name: '先不办了' }).click())
  await page.getByRole('button', { name: '继续办理' }).waitFor()
  await v.check('guide-left')
  await v.close()
})

test('what is offered can be left', async () => {
  const v = await visit(browser)
  const { page } = v
  await v.open('/')
  await toOffer(page, RENT_QUESTION, '住房公积金租房提取')
  await said(page, () => page.locator('.offer').last().getByRole('button', { name: '不申报' }).click())
  assert.equal(await page.locator('.asked').count(), 0)
  await v.close()
})

test('the desk decides a case by keys, the list of items leads to one', async () => {
  const as = await administrator()
  for (const { width, theme } of [
    { width: 1366, theme: 'light' },
    { width: 390, theme: 'dark' },
    { width: 3840, theme: 'dark' },
  ]) {
    const v = await visit(browser, { width, theme, as })
    const { page } = v
    await v.open('/services')
    await page.locator('.item').first().waitFor()
    await v.check('services')
    await page.getByRole('link', { name: '住房公积金租房提取', exact: true }).click()
    await page.locator('.columns .part').first().waitFor()
    await v.check('service')
    await v.open('/cases')
    const entry = page.locator('.queue .entry').first()
    await page.locator('.queue .entry, .queue .note').first().waitFor()
    if ((await entry.count()) === 0) {
      await v.check('desk-empty')
      await v.close()
      continue
    }
    await v.check('desk')
    if (width === 390) await entry.click()
    await page.locator('.case .row').first().waitFor()
    if (width === 1366) {
      await page.keyboard.press('r')
      await page.getByLabel(/^意见/).fill('请补充银行卡复印件。')
      await v.check('desk-decide')
      await page.keyboard.press('Control+Enter')
      await page.getByText(/已退回补正/).waitFor()
    }
    await v.check('desk-case')
    await v.close()
  }
})
