// The items, and the desk where cases are decided.
import { after, before, test } from 'node:test'
import { administrator } from './administrator.mjs'
import { launch, visit } from './browser.mjs'
import { answerAll, confirmedBy, said, say } from './guiding.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** A case of this walk's own, handed in by the interface as a citizen. */
async function handIn(browser) {
  const v = await visit(browser)
  const { page } = v
  await v.open('/')
  await confirmedBy(page, '赵建国')
  await page.reload()
  await say(page, '我要办理“住房公积金租房提取”')
  await answerAll(page, { 自己的住房: '没有', 没还清的公积金贷款: '没有', 违规提取: '否' })
  await said(page, () => page.getByRole('button', { name: '确认提交' }).click())
  await page.locator('.receipt').waitFor()
  await v.close()
}

test('the desk decides a case by keys, the list of items leads to one', async () => {
  const as = await administrator()
  await handIn(browser)
  for (const { width, theme } of [
    { width: 390, theme: 'dark' },
    { width: 3840, theme: 'dark' },
    { width: 1366, theme: 'light' },
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
    await entry.waitFor()
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
