// The audit log, as the administrator.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator, asAdministrator } from './administrator.mjs'
import { VIEWPORTS, launch, visit } from './browser.mjs'

const stamp = Date.now().toString(36)
let browser
let as
before(async () => {
  as = await administrator()
  browser = await launch()
  const api = await asAdministrator()
  const { user } = await api.call('POST', '/users', { login: `audited-${stamp}`, name: '周被审', roles: ['clerk'] })
  await api.call('POST', `/users/${user.id}`, { roles: ['clerk', 'expert'] })
  await api.close()
})
after(() => browser.close())

for (const width of Object.keys(VIEWPORTS).map(Number)) {
  for (const theme of ['light', 'dark']) {
    test(`the log is searched by its address, opened and verified (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme, as })
      const { page } = v
      await v.open('/audit')
      await page.locator('tr[data-id]').first().waitFor()
      await v.check('audit')
      await page.getByRole('button', { name: '有改动' }).click()
      await page.waitForURL(/effects=true/)
      await page.getByRole('combobox', { name: '操作' }).fill('users.update')
      await page.keyboard.press('Enter')
      await page.waitForURL(/action=users.update/)
      await page.waitForFunction(() => {
        const rows = [...document.querySelectorAll('tr[data-id]')]
        return rows.length > 0 && rows.every((row) => row.textContent.includes('修改账号'))
      })
      await page.locator('.unfold').first().click()
      await page.getByText('只看此请求').waitFor()
      await page.getByRole('button', { name: '核验' }).click()
      await page.getByText('日志完整').waitFor()
      await v.check('audit-detail')
      await page.getByText('只看此请求').first().click()
      await page.waitForURL(/request=/)
      await v.close()
    })
  }
}

test('failures, an empty answer, and the whole log as a file', async () => {
  const v = await visit(browser, { as })
  const { page } = v
  await v.open(`/audit?action=users.update&subject=zzqxv0987`)
  await page.getByText('没有符合条件的记录').waitFor()
  await page.getByRole('button', { name: '清除筛选' }).first().click()
  await page.waitForURL(/\/audit$/)
  await page.getByRole('button', { name: '失败', exact: true }).click()
  await page.waitForURL(/outcome=failed/)
  await page.getByRole('button', { name: '近 7 天' }).click()
  await page.waitForURL(/from=/)
  await page.locator('tr[data-id], .note').first().waitFor()
  await v.check('audit-failed')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: '导出全部' }).click()])
  assert.equal(download.suggestedFilename(), 'audit.jsonl')
  await v.close()
})
