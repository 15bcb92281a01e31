// Guided handling: from a question to a case.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BIRTH_QUESTION, launch, visit } from './browser.mjs'
import { answerAll, confirmedBy, said, toOffer } from './guiding.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

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
    await page.locator('.list .entry', { hasText: number }).waitFor()
    await v.check('cases-mine')
    await page.locator('.list .entry').first().click()
    await page.locator('.history li').first().waitFor()
    await v.check('case-mine')
    await v.close()
  })
}
