// Walks what someone without operator rights sees. A server on this machine takes every local caller for operator,
// so the answers of the API are bent on their way to the page.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, visit } from './browser.mjs'

const KEY = 'walk-key'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

test('managing asks for the key once, keeps it for the tab, and says when it is wrong', async () => {
  const v = await visit(browser, { expected: [/401/] })
  const { page } = v
  await page.route('**/api/v1/**', async (route) => {
    const request = route.request()
    const allowed = request.headers()['authorization'] === `Bearer ${KEY}`
    const { pathname } = new URL(request.url())
    if (pathname.endsWith('/status')) {
      const response = await route.fetch()
      return route.fulfill({ response, json: { ...(await response.json()), operator: allowed } })
    }
    if (!allowed && pathname.includes('/imports')) {
      const problem = { type: '/docs/errors#operator_required', title: '需要管理员', status: 401, detail: '请输入管理员密钥。', code: 'operator_required', request_id: 'r' }
      return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify(problem) })
    }
    // The key is made up: the server itself must not see it, for it refuses keys that it does not know.
    const { authorization, ...headers } = request.headers()
    return route.continue({ headers })
  })
  await v.open('/knowledge')
  await page.locator('tbody tr').first().waitFor()
  assert.equal(await page.getByRole('navigation', { name: '主导航' }).getByText('导入').count(), 0)
  assert.equal(await page.getByRole('button', { name: /^撤下/ }).count(), 0)

  await v.open('/knowledge/import')
  const field = page.getByLabel('管理员密钥', { exact: true })
  await field.fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByText('刚才的密钥不对').waitFor()
  await v.check('operator-key')
  await field.fill(KEY)
  await page.keyboard.press('Enter')
  await page.getByText('以前的导入').waitFor()
  await page.getByRole('navigation', { name: '主导航' }).getByText('导入').waitFor()
  await page.reload()
  await page.getByText('以前的导入').waitFor()
  assert.ok(!(await field.isVisible()), 'the key is kept for the tab')
  await v.close()
})
