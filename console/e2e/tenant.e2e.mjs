// Guided handling: a question aside, conditions that aren't met, what is left.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, visit } from './browser.mjs'
import { answerAll, said, say, toOffer } from './guiding.mjs'

const RENT_QUESTION = '租房子要提取公积金怎么办？'
const RENT = { 自己的住房: '没有', 没还清的公积金贷款: '没有', 违规提取: '否' }
let browser
before(async () => (browser = await launch()))
after(() => browser.close())

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
    await say(page, '需要，我的材料已经准备好了')
    await page.locator('.asked').waitFor()
    await said(page, () => page.locator('.asked').getByRole('button', { name: '没有', exact: true }).click())
    await say(page, '公积金贷款额度最高多少？')
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

test('who owns a home is told why not, what differs, and may leave', async () => {
  const v = await visit(browser)
  const { page } = v
  await v.open('/')
  await say(page, '我要办理“住房公积金租房提取”')
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
