// Accounts, departments, keys and permissions, as the administrator.
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
  const top = await api.call('POST', '/departments', { name: `教育局${stamp}` })
  const under = await api.call('POST', '/departments', { name: `学前教育科${stamp}`, parent: top.id })
  const names = ['赵窗口', '钱专家', '孙领导']
  for (const [i, name] of names.entries()) {
    const roles = [['clerk'], ['clerk', 'expert'], ['leader']][i]
    await api.call('POST', '/users', { login: `staff-${stamp}-${i}`, name, roles, departments: [under.id] })
  }
  await api.call('POST', '/keys', { name: `短信平台${stamp}`, roles: ['clerk'], days: 30, scope: ['knowledge.search'] })
  await api.close()
})
after(() => browser.close())

for (const width of Object.keys(VIEWPORTS).map(Number)) {
  for (const theme of ['light', 'dark']) {
    test(`the four parts of identity show what there is (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme, as })
      const { page } = v
      await v.open('/identity')
      await page.waitForURL(/\/identity\/users/)
      await page.locator('tr[data-id]').first().waitFor()
      await v.check('users')
      await page.getByLabel('姓名或登录名').fill(`staff-${stamp}`)
      await page.keyboard.press('Enter')
      await page.waitForURL(/text=staff/)
      await page.waitForFunction(() => document.querySelectorAll('tr[data-id]').length === 3)
      await page.getByRole('button', { name: '新建账号' }).click()
      await page.getByRole('dialog', { name: '新建账号' }).waitFor()
      await v.check('user-new')
      await page.keyboard.press('Escape')
      await page.getByRole('navigation', { name: '身份' }).getByText('部门').click()
      await page.locator('.tree .name', { hasText: `学前教育科${stamp}` }).waitFor()
      await v.check('departments')
      await page.getByRole('navigation', { name: '身份' }).getByText('密钥').click()
      await page.locator('tr[data-id]').getByText(`短信平台${stamp}`).waitFor()
      await v.check('keys')
      await page.getByRole('navigation', { name: '身份' }).getByText('权限').click()
      await page.locator('tr[data-id="service.ask"]').waitFor()
      await v.check('permissions')
      await page.getByRole('button', { name: '修改“政务问答”谁可以用' }).click()
      await page.getByText('指定角色或部门').click()
      await v.check('permission-edit')
      await v.close()
    })
  }
}

test('an account is made, changed, disabled and enabled again', async () => {
  const v = await visit(browser, { as })
  const { page } = v
  const login = `new-${stamp}`
  await v.open('/identity/users')
  await page.getByRole('button', { name: '新建账号' }).click()
  await page.locator('#user-login').fill(login)
  await page.locator('#user-name').fill('李新人')
  await page.getByLabel('窗口人员').check()
  await page.reload()
  await page.getByRole('button', { name: '新建账号' }).click()
  assert.equal(await page.locator('#user-login').inputValue(), login, 'the draft is kept')
  assert.ok(await page.getByLabel('窗口人员').isChecked())
  await page.getByLabel(`学前教育科${stamp}`).check()
  await page.getByRole('button', { name: '新建并生成邀请链接' }).click()
  const invitation = page.getByRole('dialog', { name: '“李新人”的邀请链接' })
  await invitation.waitFor()
  assert.match(await invitation.locator('output').innerText(), /\/password#[0-9a-f]{32,}$/)
  await v.check('user-invited')
  await page.getByRole('button', { name: '已交给本人' }).click()

  await v.open(`/identity/users?text=${login}`)
  await page.getByRole('button', { name: '编辑“李新人”' }).click()
  await page.getByLabel('业务专家').check()
  await page.getByRole('button', { name: '保存' }).click()
  await page.getByText('窗口人员、业务专家').waitFor()
  await page.getByRole('button', { name: '停用“李新人”' }).click()
  await page.getByRole('cell', { name: '已停用' }).waitFor()
  await page.getByRole('button', { name: '撤销' }).click()
  await page.getByRole('cell', { name: '待设密码' }).waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '导出' }).click()])
  assert.match(download.suggestedFilename(), /^账号.*\.csv$/)
  await v.open('/identity/users?text=zzqxv0987')
  await page.getByText('没有符合条件的账号').waitFor()
  await v.check('users-none')
  await v.close()
})

test('departments: one with people stays, an empty one goes after a question', async () => {
  const v = await visit(browser, { as, expected: [/409/] })
  const { page } = v
  await v.open('/identity/departments')
  await page.getByRole('button', { name: '新建部门' }).first().click()
  await page.getByLabel('名称', { exact: true }).fill(`临时科${stamp}`)
  await page.getByLabel('上级部门').selectOption({ label: `教育局${stamp}` })
  await page.getByRole('button', { name: '新建', exact: true }).click()
  await page.getByText(`临时科${stamp}`, { exact: true }).waitFor()
  await page.getByRole('button', { name: `删除“学前教育科${stamp}”` }).click()
  await page.getByRole('button', { name: '删除部门' }).click()
  await page.getByText(/还有 \d+ 人/).waitFor()
  await page.getByRole('button', { name: `删除“临时科${stamp}”` }).click()
  await v.check('department-remove')
  await page.getByRole('button', { name: '删除部门' }).click()
  await page.getByRole('button', { name: `删除“临时科${stamp}”` }).waitFor({ state: 'detached' })
  await v.close()
})

test('a key is shown once and revoked after a question', async () => {
  const v = await visit(browser, { as })
  const { page } = v
  await v.open('/identity/keys')
  await page.getByRole('button', { name: '新建密钥' }).click()
  await page.locator('#key-name').fill(`接口${stamp}`)
  await page.getByLabel('窗口人员').check()
  await page.getByText('只允许部分能力').click()
  await page.getByLabel('查找能力').fill('检索')
  await page.getByLabel('检索条款').check()
  await v.check('key-new')
  await page.locator('dialog').getByRole('button', { name: '新建密钥' }).click()
  const shown = page.getByRole('dialog', { name: `密钥“接口${stamp}”` })
  assert.match(await shown.locator('output').innerText(), /^cmk_/)
  await v.check('key-created')
  await page.getByRole('button', { name: '已保存好' }).click()
  await page.getByRole('button', { name: `吊销“接口${stamp}”` }).click()
  await page.getByRole('button', { name: '吊销密钥' }).click()
  await page.locator('tr', { hasText: `接口${stamp}` }).getByText('已吊销').waitFor()
  await v.close()
})

test('a permission and a space are changed and restored', async () => {
  const v = await visit(browser, { as })
  const { page } = v
  await v.open('/identity/permissions?q=traces.get')
  await page.getByRole('button', { name: /^修改“.*谁可以用$/ }).click()
  await page.getByText('指定角色或部门').click()
  await page.getByLabel('领导').check()
  await page.getByRole('button', { name: '保存' }).click()
  await page.locator('tr[data-id="traces.get"] .changed').waitFor()
  await page.getByRole('button', { name: /恢复默认/ }).click()
  await page.locator('tr[data-id="traces.get"] .changed').waitFor({ state: 'detached' })

  await page.getByRole('button', { name: '为新空间限定' }).click()
  await page.getByLabel('空间名称').fill(`内部资料${stamp}`)
  await page.getByLabel('窗口人员').check()
  await page.getByRole('button', { name: '保存' }).click()
  await page.locator(`tr[data-id="内部资料${stamp}"]`).getByText('窗口人员').waitFor()
  await v.check('spaces')
  await page.getByRole('button', { name: `取消限定“内部资料${stamp}”` }).click()
  await page.locator(`tr[data-id="内部资料${stamp}"]`).waitFor({ state: 'detached' })
  await v.close()
})
