import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator } from './administrator.mjs'
import { URL_BASE, VIEWPORTS, launch, visit } from './browser.mjs'

let browser
let as
before(async () => {
  as = await administrator()
  browser = await launch()
})
after(() => browser.close())

/** Takes what a walk imported out again, so that the demonstration city stays as it was. */
async function clear(page, title) {
  const list = await page.request.get(`${URL_BASE}/api/v1/knowledge/documents?q=${encodeURIComponent(title)}`)
  for (const document of (await list.json()).items.filter((d) => d.title.includes(title))) {
    await page.request.delete(`${URL_BASE}/api/v1/knowledge/documents/${document.id}`)
  }
}

for (const width of Object.keys(VIEWPORTS).map(Number)) {
  for (const theme of ['light', 'dark']) {
    test(`the list of documents filters and pages by its address (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme, as })
      const { page } = v
      await v.open('/knowledge')
      await page.locator('tbody tr').first().waitFor()
      await v.check('knowledge')

      const first = await page.locator('tbody tr .title-link').first().innerText()
      const next = page.locator('.el-pagination .btn-next')
      if (await next.isEnabled()) {
        await next.click()
        await page.waitForURL(/page=2/)
        await page.waitForFunction((t) => document.querySelector('tbody .title-link')?.textContent.trim() !== t, first.trim())
      }
      await page.getByLabel('标题、文号或机关').fill('办法')
      await page.keyboard.press('Enter')
      await page.waitForURL((url) => url.searchParams.get('q') === '办法' && !url.searchParams.has('page'))
      await page.waitForFunction(() => {
        return document.querySelector('tbody .title-link')?.textContent.includes('办法')
      })
      await page.getByLabel('标题、文号或机关').fill('zzqxv0987')
      await page.keyboard.press('Enter')
      await page.getByText('没有符合条件的文件').waitFor()
      await v.check('knowledge-none')
      await page.goBack()
      await page.locator('tbody tr').first().waitFor()
      assert.equal(await page.getByLabel('标题、文号或机关').inputValue(), '办法')
      await page.locator('tbody .title-link').first().click()
      await page.waitForURL(/\/knowledge\/documents\//)
      await page.locator('.text h1').waitFor()
      await v.close()
    })

    test(`the search test shows hits with their matched words (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme, as })
      await v.open('/knowledge/search?query=' + encodeURIComponent('二孩 补贴 条件'))
      await v.page.locator('.hit mark').first().waitFor()
      await v.page.getByText(/用时 [\d.]+ 毫秒/).waitFor()
      await v.check('search')
      await v.close()
    })

    test(`importing: a new file gets in and is found, a broken one says why (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme, as })
      const { page } = v
      const word = `试验词${Date.now().toString(36)}${width}${theme}`
      const content = `# 关于${word}的通知\n\n## 办理条件\n\n${word}应当在三十日内办理，每户补助 321 元。\n`
      await v.open('/knowledge/import')
      await page.getByText('拖到这里').waitFor()
      await v.check('imports')
      await page.locator('input[data-role=files]').setInputFiles([
        { name: `${word}.md`, mimeType: 'text/markdown', buffer: Buffer.from(content) },
        { name: `损坏-${word}.docx`, mimeType: 'application/octet-stream', buffer: Buffer.from(`not a document ${word}`) },
      ])
      await page.waitForURL(/\/knowledge\/import\/.+/)
      await page.locator('tr[data-state=imported]').waitFor({ timeout: 60_000 })
      await page.locator('tr[data-state=failed] .error').waitFor({ timeout: 60_000 })
      assert.match(await page.locator('tr[data-state=failed] .error').innerText(), /[\u4e00-\u9fff]{4}/)
      await page.getByText('已完成').first().waitFor()
      await v.check('import')
      await page.getByRole('group', { name: '按状态筛选' }).getByRole('button', { name: '失败' }).click()
      await page.waitForURL(/state=failed/)
      await page.waitForFunction(() => document.querySelectorAll('tr[data-state]').length === 1)

      const search = '/knowledge/search?query=' + encodeURIComponent(word)
      await v.open(search)
      const hit = page.locator('.hit', { hasText: word }).first()
      // A document is to be found within a second of its import.
      await hit.waitFor({ timeout: 2_000 }).catch(() => v.open(search))
      await hit.waitFor()
      await clear(page, word)
      await v.close()
    })
  }
}

test('withdrawing a document can be undone, columns are remembered, the list is exported', async () => {
  const v = await visit(browser, { as })
  const { page } = v
  const word = `撤下试验${Date.now().toString(36)}`
  await v.open('/knowledge/import')
  await page.locator('input[data-role=files]').setInputFiles([
    { name: `${word}.md`, mimeType: 'text/markdown', buffer: Buffer.from(`# ${word}\n\n第一条 本文只用于试验${word}。\n`) },
  ])
  await page.locator('tr[data-state=imported]').waitFor({ timeout: 60_000 })
  await v.open('/knowledge?q=' + encodeURIComponent(word))
  await page.getByRole('button', { name: `撤下《${word}》` }).click()
  const row = page.locator('tbody .title-link', { hasText: word })
  await row.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: '撤销' }).click()
  await row.waitFor()

  await page.getByRole('button', { name: '列', exact: true }).click()
  await page.locator('.choices').getByText('格式').click()
  await page.getByRole('columnheader', { name: '格式' }).waitFor()
  await v.check('knowledge-columns')
  await page.reload()
  await page.getByRole('columnheader', { name: '格式' }).waitFor()

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '导出清单' }).click()])
  assert.match(download.suggestedFilename(), /\.csv$/)
  await clear(page, word)
  await v.close()
})

test('the reader searches within a document and keeps the structure at hand', async () => {
  const v = await visit(browser, { as })
  const { page } = v
  await v.open('/knowledge?q=' + encodeURIComponent('办法'))
  await page.locator('tbody .title-link').first().click()
  await page.locator('.text .clause').first().waitFor()
  const word = (await page.locator('.text .clause-body p').first().innerText()).match(/[\u4e00-\u9fff]{2}/)[0]
  await page.getByLabel('在本文中查找').fill(word)
  await page.locator('.text mark').first().waitFor()
  await page.keyboard.press('Enter')
  await v.check('reader-find')
  await v.close()
})
