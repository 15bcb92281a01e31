// The kinds of knowledge: their lists, their readers, their forms.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator } from './administrator.mjs'
import { launch, visit } from './browser.mjs'
import { LOOKS, clear, found } from './documents.mjs'

const KINDS = ['policy', 'guide', 'walkthrough', 'faq', 'primer']
const stamp = Date.now().toString(36)
let browser
let as
before(async () => {
  as = await administrator()
  browser = await launch()
})
after(() => browser.close())

for (const { width, theme } of LOOKS) {
  test(`each kind has its list and its reader (${width}, ${theme})`, async () => {
    const v = await visit(browser, { width, theme, as })
    const { page } = v
    for (const kind of KINDS) {
      await v.open(`/knowledge?kind=${kind}`)
      await page.locator('tbody .title-link').first().waitFor()
      await v.check(`kind-${kind}`)
      await page.locator('tbody .title-link').first().click()
      await page.locator('.text .clause').first().waitFor()
      if (kind === 'faq') {
        const entry = page.locator('details.entry').first()
        await entry.locator('summary').click()
        await entry.locator('.clause-body').waitFor()
      }
      if (kind === 'walkthrough') await page.locator('.step-number').first().waitFor()
      if (kind === 'guide') {
        if (width < 1200) await page.getByText('办事要点、信息、版本与关联').click()
        await page.locator('.guide dt').first().waitFor()
      }
      await v.check(`reader-${kind}`)
    }
    await v.close()
  })

  test(`a question is entered by form, kept as a draft, asked and edited (${width}, ${theme})`, async () => {
    const v = await visit(browser, { width, theme, as })
    const { page } = v
    const word = `录入试验${stamp}${width}${theme}`
    await v.open('/knowledge/new/faq')
    await page.getByRole('button', { name: '保存入库' }).click()
    await page.getByText(/处需要修改/).waitFor()
    await v.check('form-problems')
    await page.getByLabel('标题').fill(`${word}常见问答`)
    await page.getByLabel('问题 1').fill('第二个问题？')
    await page.getByLabel('答案 1').fill('第二个答案。')
    await page.getByRole('button', { name: '添加一问' }).click()
    await page.getByLabel('问题 2').fill(`${word}每户补助多少钱？`)
    await page.getByLabel('答案 2').fill(`${word}每户补助 432 元，三十日内发放。`)
    await page.getByLabel('问题 2').press('Alt+ArrowUp')
    assert.match(await page.getByLabel('问题 1').inputValue(), /补助多少钱/)
    await page.reload()
    await page.getByText('上次没有保存的草稿').waitFor()
    assert.equal(await page.getByLabel('问题 2').inputValue(), '第二个问题？')
    await v.check('form-faq')
    await page.getByRole('button', { name: '保存入库' }).click()
    await page.waitForURL(/\/knowledge\/documents\/[^/]+$/)
    await page.locator('details.entry').nth(1).waitFor()

    await v.open('/knowledge/search?query=' + encodeURIComponent(`${word}补助多少`))
    await page.locator('.hit', { hasText: '432' }).first().waitFor()

    const [{ id }] = await found(page, word)
    await v.open(`/knowledge/documents/${id}`)
    await page.getByRole('link', { name: '编辑内容' }).click()
    await page.waitForURL(/\/form$/)
    assert.match(await page.getByLabel('答案 1').inputValue(), /432/)
    await page.getByRole('button', { name: '删除问答第 2 问' }).click()
    await page.getByRole('button', { name: '保存修改' }).click()
    await page.waitForURL(/\/knowledge\/documents\/[^/]+$/)
    await page.locator('details.entry').first().waitFor()
    assert.equal(await page.locator('details.entry').count(), 1)
    await clear(page, word)
    await v.close()
  })
}
