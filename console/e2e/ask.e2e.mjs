import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BIRTH_QUESTION, MARS_QUESTION, VIEWPORTS, ask, launch, visit } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

for (const width of Object.keys(VIEWPORTS).map(Number)) {
  for (const theme of ['light', 'dark']) {
    test(`a question leads to its evidence, the original and back (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme })
      const { page } = v
      await v.open('/')
      await page.getByRole('heading', { name: '有什么要办、要问的？' }).waitFor()
      await page.locator('.example').first().waitFor()
      assert.equal(await page.locator('.example').count(), 6)
      await v.check('ask-welcome')

      const turn = await ask(page, BIRTH_QUESTION)
      const marks = turn.locator('.answer-text .citation-mark')
      assert.ok((await marks.count()) >= 1, 'the answer carries at least one mark')
      await v.check('ask-answer')

      await marks.first().click()
      const panel = page.locator('#side-panel')
      await panel.locator('.clause.here mark').first().waitFor()
      assert.ok((await panel.locator('mark').allInnerTexts()).join('').length > 4, 'the quotation is lit')
      await v.check('ask-evidence')
      await page.keyboard.press('Escape')
      await panel.waitFor({ state: 'detached' })
      assert.ok(await marks.first().evaluate((e) => e === document.activeElement), 'the focus returns to the mark')

      await marks.first().click()
      await panel.getByRole('link', { name: '打开原文' }).click()
      await page.waitForURL(/\/knowledge\/documents\/.+clause=/)
      const lit = page.locator('.text mark').first()
      await lit.waitFor()
      await page.waitForFunction(() => {
        const box = document.querySelector('.text mark')?.getBoundingClientRect()
        return box && box.top >= 0 && box.bottom <= innerHeight
      })
      await v.check('reader')

      await page.goBack()
      await page.locator('article.turn .citation-mark').first().waitFor()

      await turn.getByRole('button', { name: '过程' }).click()
      await panel.locator('li').first().waitFor()
      await v.check('ask-trace')
      await page.keyboard.press('Escape')
      await v.close()
    })
  }
}

for (const width of [390, 1366]) {
  test(`the conversation is in the history after a reload, and deleting it can be undone (${width})`, async () => {
    const v = await visit(browser, { width })
    const { page } = v
    await v.open('/')
    await ask(page, BIRTH_QUESTION)
    await page.reload()
    await page.locator('article.turn .citation-mark').first().waitFor()
    if (width === 390) await page.getByRole('button', { name: '历史' }).click()
    const entry = page.locator('.history .entry').first()
    await entry.waitFor()
    assert.match(await entry.innerText(), /二胎/)
    await v.check('history')
    await page.getByRole('button', { name: /^删除对话/ }).first().click()
    await page.getByRole('button', { name: '撤销' }).click()
    if (width === 390) await page.getByRole('button', { name: '历史' }).click()
    await page.locator('.history .entry').first().waitFor()
    await v.close()
  })

  for (const theme of ['light', 'dark']) {
    test(`a question without evidence is refused and says where to ask (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme })
      await v.open('/')
      const turn = await ask(v.page, MARS_QUESTION)
      await turn.getByText('没有找到依据').first().waitFor()
      assert.ok((await turn.locator('.channel').count()) >= 1, 'channels are shown')
      assert.equal(await turn.locator('.citation-mark').count(), 0)
      await v.check('ask-refused')
      await v.close()
    })
  }
}

test('typed text survives a reload, and an overlong question cannot be sent', async () => {
  const v = await visit(browser)
  await v.open('/')
  const field = v.page.getByLabel('输入问题')
  await field.fill('公积金怎么')
  await v.page.reload()
  assert.equal(await field.inputValue(), '公积金怎么')
  await field.fill('问'.repeat(2001))
  await v.page.getByText('已超出 1 字').waitFor()
  assert.ok(await v.page.getByRole('button', { name: '发送' }).isDisabled())
  await v.check('ask-too-long')
  await v.close()
})

test('an answer can be stopped and asked again', async () => {
  const v = await visit(browser)
  const { page } = v
  // Held back, so that there is time to press the button on any machine.
  await page.route('**/api/v1/ask', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await route.continue().catch(() => undefined)
  })
  await v.open('/')
  await page.getByLabel('输入问题').fill(BIRTH_QUESTION)
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: '停止' }).click()
  await page.getByText('已停止').waitFor()
  await v.check('ask-stopped')
  await page.getByRole('button', { name: '重试' }).click()
  await page.locator('article.turn .tools').waitFor()
  await v.close()
})

test('a server that cannot be reached leaves the question in the field', async () => {
  const v = await visit(browser, { expected: [/Failed to load resource/] })
  const { page } = v
  await v.open('/')
  await page.locator('.example').first().waitFor()
  await page.route('**/api/v1/ask', (route) => route.abort())
  await page.getByLabel('输入问题').fill('租房提取')
  await page.keyboard.press('Enter')
  await page.getByText('连不上服务器').first().waitFor()
  assert.equal(await page.getByLabel('输入问题').inputValue(), '租房提取')
  await v.check('ask-unreachable')
  await v.close()
})

test('the frame: commands, search by slash, large type, theme, skip link, 404', async () => {
  const v = await visit(browser)
  const { page } = v
  await v.open('/')
  await page.locator('.example').first().waitFor()
  await page.keyboard.press('Control+k')
  await page.getByLabel('输入命令').fill('检索')
  await v.check('commands')
  await page.keyboard.press('Enter')
  await page.waitForURL(/knowledge\/search/)
  await page.locator('h1').first().click()
  await page.keyboard.press('/')
  assert.ok(await page.getByLabel('搜索文件与条款').evaluate((e) => e === document.activeElement))
  await page.keyboard.type('办法')
  await page.locator('#global-search-list li').first().waitFor()
  await v.check('global-search')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '大字模式' }).click()
  await v.check('large-type')
  await page.getByRole('button', { name: '切换到深色' }).click()
  assert.ok(await page.evaluate(() => document.documentElement.classList.contains('dark')))
  await v.open('/no/such/page')
  await page.getByText('没有这个页面').first().waitFor()
  await v.check('not-found')
  await v.close()
})
