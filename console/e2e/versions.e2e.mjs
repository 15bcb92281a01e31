// What is known of a document is corrected; its versions are read, compared and brought back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator } from './administrator.mjs'
import { launch, visit } from './browser.mjs'
import { LOOKS, call, clear, upload } from './documents.mjs'

const stamp = Date.now().toString(36)
let browser
let as
before(async () => {
  as = await administrator()
  browser = await launch()
})
after(() => browser.close())

/** Two versions of a policy, the first in force from May 2023, the second from May 2025. */
async function twoVersions(page, word) {
  const law = (year, sum, more) =>
    `# ${word}补贴办法\n\n试规〔${year}〕1号\n\n启明市试验局\n\n第一条 为了${word}，制定本办法。\n\n第二条 每户补助${sum}元。\n\n${more}本办法自${year}年5月1日起施行。\n`
  await upload(page, `${word}.md`, law(2023, '三百', '第三条 申请人应当提交身份证。\n\n第四条 '))
  return upload(page, `${word}.md`, law(2025, '五百', '第三条 申请人应当常住本市满一年。\n\n第四条 申请人应当提交身份证。\n\n第五条 '))
}

for (const { width, theme } of LOOKS) {
  test(`versions: an earlier day, a comparison, a restored one (${width}, ${theme})`, async () => {
    const v = await visit(browser, { width, theme, as })
    const { page } = v
    const word = `版本试验${stamp}${width}${theme}`
    const id = await twoVersions(page, word)
    const beside = async () => {
      if (width < 1200 && !(await page.locator('#side-panel').isVisible())) await page.getByText('信息、版本与关联').click()
      await page.getByRole('tab', { name: /^版本/ }).click()
      await page.getByText('第 2 版').first().waitFor()
    }
    await v.open(`/knowledge/documents/${id}`)
    await page.locator('.text', { hasText: '五百元' }).waitFor()
    await beside()
    await v.check('versions')
    await page.getByLabel('按日期查看').fill('2024-01-01')
    await page.waitForURL(/as_of=2024-01-01/)
    await page.locator('.text', { hasText: '三百元' }).waitFor()
    await page.getByText('这一版当日有效').waitFor()
    await v.check('as-of')
    await v.open(`/knowledge/search?as_of=2024-01-01&query=${encodeURIComponent(`${word}补助`)}`)
    await page.locator('.hit', { hasText: '三百元' }).first().waitFor()
    assert.equal(await page.locator('.hit', { hasText: `${word}补贴办法` }).filter({ hasText: '五百元' }).count(), 0)

    await v.open(`/knowledge/documents/${id}`)
    await page.locator('.text', { hasText: '五百元' }).waitFor()
    await beside()
    await page.getByRole('link', { name: '与正在看的比较' }).first().click()
    await page.waitForURL(/\/knowledge\/compare/)
    await page.locator('[data-fate=changed] del', { hasText: '三' }).first().waitFor()
    await page.locator('[data-fate=changed] ins', { hasText: '五' }).first().waitFor()
    await page.locator('[data-fate=added]', { hasText: '常住本市' }).waitFor()
    await page.keyboard.press('n')
    await page.keyboard.press('n')
    await page.locator('.clause.active').waitFor()
    const [left, right] = await Promise.all(['.old', '.new'].map((side) => page.locator(`.clause.active ${side}`).boundingBox()))
    assert.ok(width >= 900 ? right.x > left.x : right.y > left.y, 'old and new stand side by side where there is room')
    await v.check('compare')
    await page.getByRole('button', { name: '只看不同' }).click()
    await page.waitForURL(/all=1/)
    await page.locator('[data-fate=same]').first().waitFor()

    await page.getByRole('link', { name: '回到原文' }).click()
    await page.locator('.text .clause').first().waitFor()
    await beside()
    await page.getByRole('button', { name: '恢复这一版' }).first().click()
    await page.getByRole('dialog').getByText(`${word}补贴办法`).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: '恢复第 1 版' }).click()
    await page.locator('.text', { hasText: '三百元' }).waitFor()
    await clear(page, word)
    await v.close()
  })

  test(`a date is corrected, in spite of somebody faster, and taken back (${width}, ${theme})`, async () => {
    const v = await visit(browser, { width, theme, as, expected: [/409/] })
    const { page } = v
    const word = `信息试验${stamp}${width}${theme}`
    const text = `# ${word}办法\n\n试规〔2025〕2号\n\n第一条 本办法依据《中华人民共和国社会保险法》制定。\n\n第二条 本办法自2025年5月1日起施行。\n`
    const id = await upload(page, `${word}.md`, text)
    await v.open(`/knowledge/documents/${id}`)
    await page.locator('.text .clause').first().waitFor()
    const edit = async () => {
      if (width < 1200 && !(await page.locator('#side-panel').isVisible())) await page.getByText('信息、版本与关联').click()
      await page.getByRole('button', { name: '修改信息' }).click()
    }
    await edit()
    const { revision } = await call(page, 'GET', `/knowledge/documents/${id}`)
    await call(page, 'POST', `/knowledge/documents/${id}/edit`, { data: { revision, set: { number: '试规〔2025〕9号' } } })
    await page.getByLabel('施行日期').fill('2025-06-01')
    await page.getByRole('button', { name: '保存', exact: true }).click()
    await page.getByText('试规〔2025〕2号 → 试规〔2025〕9号').waitFor()
    await v.check('edit-conflict')
    await page.getByRole('button', { name: '保存', exact: true }).click()
    await page.getByText('由工作人员修改过').waitFor()
    assert.equal((await call(page, 'GET', `/knowledge/documents/${id}`)).effective_from, '2025-06-01')
    await edit()
    await page.getByText(/文件里是2025-05-01/).waitFor()
    await v.check('edit')
    await page.getByRole('button', { name: '撤销修改：施行日期' }).click()
    assert.equal(await page.getByLabel('施行日期').inputValue(), '2025-05-01')
    await page.getByRole('button', { name: '保存', exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const now = await call(page, 'GET', `/knowledge/documents/${id}`)
    assert.deepEqual([now.effective_from, now.edits.effective_from], ['2025-05-01', undefined])
    await page.getByRole('tab', { name: /依据与关联/ }).click()
    await page.locator('#side-panel').getByText('社会保险法').waitFor()
    await v.check('relations')
    await clear(page, word)
    await v.close()
  })
}
