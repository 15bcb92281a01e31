// Setting up, signing in and out, one's own account. Runs first: it walks the set-up page where the server is new.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { LOGIN, PASSWORD, administrator, asAdministrator, needsSetup, newUser, patiently, setupSecret } from './administrator.mjs'
import { URL_BASE, VIEWPORTS, launch, visit } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const rail = (page) => page.getByRole('navigation', { name: '主导航' })
const stamp = Date.now().toString(36)

/** Sends a form that signs in, again where it was too often: attempts are limited to so many a minute. */
async function enter(page, send) {
  for (let left = 20; left > 0; left--) {
    const answered = page.waitForResponse(/\/auth\/(sign-in|redeem)$/)
    await send()
    if ((await answered).status() !== 429) return
    await page.waitForTimeout(3_500)
  }
}

const enterPassword = (page, password) =>
  enter(page, async () => {
    await page.getByLabel('密码', { exact: true }).fill(password)
    await page.keyboard.press('Enter')
  })

test('the set-up page makes the first administrator, once', async (t) => {
  if (!(await needsSetup())) return t.skip('this server has an administrator')
  const secret = setupSecret()
  for (const width of Object.keys(VIEWPORTS).map(Number)) {
    for (const theme of ['light', 'dark']) {
      const v = await visit(browser, { width, theme })
      await v.open(`/setup#${secret}`)
      await v.page.getByLabel('登录名').waitFor()
      assert.equal(new URL(v.page.url()).hash, '', 'the secret leaves the address')
      await v.check('setup')
      await v.close()
    }
  }
  const v = await visit(browser)
  const { page } = v
  await v.open('/sign-in')
  await page.getByText('还没有管理员').waitFor()
  await v.open(`/setup#${secret}`)
  await page.getByLabel('登录名').fill(LOGIN)
  await page.getByLabel('姓名').fill('巡查员')
  await page.getByLabel('密码', { exact: true }).fill('1234567890')
  await page.getByLabel('再输一次', { exact: true }).fill('1234567890')
  const send = page.getByRole('button', { name: '设置并登录' })
  assert.ok(await send.isDisabled(), 'a common password is not sent')
  await page.reload()
  await page.getByText('请从链接打开').waitFor()
  await v.open(`/setup?again#${secret}`)
  assert.equal(await page.getByLabel('登录名').inputValue(), LOGIN, 'the draft is kept')
  assert.equal(await page.getByLabel('密码', { exact: true }).inputValue(), '', 'the password is not')
  await page.getByLabel('密码', { exact: true }).fill(PASSWORD)
  await page.getByLabel('再输一次', { exact: true }).fill(PASSWORD)
  await v.check('setup-filled')
  await send.click()
  await page.waitForURL(/\/identity\/users/)
  await page.getByRole('cell', { name: LOGIN, exact: true }).waitFor()
  await v.close()

  const late = await visit(browser, { expected: [/401/] })
  await late.open(`/setup#${secret}`)
  await late.page.getByText('链接不能用了').waitFor()
  await late.check('setup-used')
  await late.close()
})

for (const width of Object.keys(VIEWPORTS).map(Number)) {
  for (const theme of ['light', 'dark']) {
    test(`signing in says what is wrong and leads back (${width}, ${theme})`, async () => {
      await administrator()
      const v = await visit(browser, { width, theme, expected: [/401/, /429/] })
      const { page } = v
      await v.open('/audit?outcome=ok')
      await page.waitForURL(/\/sign-in\?to=/)
      await page.getByLabel('登录名').fill(LOGIN)
      await v.check('sign-in')
      if (theme === 'dark') return v.close()
      await page.getByLabel('登录名').fill(`nobody-${stamp}${width}`)
      await page.getByLabel('密码', { exact: true }).fill('not the password')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()
      assert.match(await page.getByRole('alert').innerText(), /[\u4e00-\u9fff]{6}/)
      assert.equal(await page.getByLabel('密码', { exact: true }).inputValue(), '')
      await v.check('sign-in-wrong')
      await page.getByLabel('登录名').fill(LOGIN)
      await enterPassword(page, PASSWORD)
      await page.waitForURL((url) => url.pathname === '/audit' && url.search === '?outcome=ok')
      await rail(page).getByText('审计').waitFor()
      await page.getByRole('button', { name: /的账号$/ }).click()
      await v.check('user-menu')
      await page.getByRole('button', { name: '退出登录', exact: true }).click()
      await rail(page).getByText('审计').waitFor({ state: 'detached' })
      await v.close()
    })
  }
}

test('signing in never leads to another site, and a citizen needs none', async () => {
  const as = await administrator()
  const v = await visit(browser, { as })
  await v.open('/sign-in?to=' + encodeURIComponent('//example.org/x'))
  assert.equal(await v.page.getByRole('link', { name: '继续' }).getAttribute('href'), '/')
  await v.close()
  const citizen = await visit(browser)
  await citizen.open('/')
  await citizen.page.getByRole('link', { name: '登录' }).waitFor()
  assert.equal(await rail(citizen.page).getByText('身份').count(), 0)
  assert.equal(await rail(citizen.page).getByText('导入').count(), 0)
  await citizen.open('/knowledge')
  await citizen.page.locator('tbody tr').first().waitFor()
  assert.equal(await citizen.page.getByRole('button', { name: /^撤下/ }).count(), 0)
  await citizen.check('citizen-knowledge')
  await citizen.close()
})

test('a sign-in that ends in the middle is asked for in place, and nothing typed is lost', async () => {
  const as = await administrator()
  const v = await visit(browser, { as, expected: [/401/] })
  const { page, context } = v
  const login = `mid-${stamp}`
  await v.open('/identity/users')
  await page.getByRole('button', { name: '新建账号' }).first().click()
  await page.locator('#user-login').fill(login)
  await page.locator('#user-name').fill('中途')
  await context.clearCookies()
  await page.getByRole('button', { name: '新建并生成邀请链接' }).click()
  const dialog = page.getByRole('dialog', { name: '需要登录' })
  await dialog.waitFor()
  await v.check('sign-in-prompt')
  assert.equal(await page.locator('#sign-in-login').inputValue(), LOGIN)
  await enterPassword(page, PASSWORD)
  await page.getByRole('dialog', { name: '“中途”的邀请链接' }).waitFor()
  await v.close()
})

test('an invitation sets the password; whoever may not see a page is told so; passwords and sign-ins change', async () => {
  const login = `clerk-${stamp}`
  const first = '窗口里的第一个长密码'
  const second = '窗口里的第二个长密码'
  const api = await asAdministrator()
  const { link } = await api.call('POST', '/users', { login, name: '窗口甲', roles: ['clerk'] })
  await api.close()
  const v = await visit(browser, { expected: [/401/, /403/, /429/] })
  const { page } = v
  await v.open(link.path)
  await page.getByText(`登录名是“${login}”`).waitFor()
  await page.getByLabel('密码', { exact: true }).fill(`${login}-with-the-name`)
  await page.getByText('不包含登录名（未满足）').waitFor()
  await page.getByLabel('密码', { exact: true }).fill(first)
  await page.getByLabel('再输一次', { exact: true }).fill(first)
  await v.check('invitation')
  await enter(page, () => page.getByRole('button', { name: '设置并登录' }).click())
  await page.getByRole('button', { name: /窗口甲\s*的账号/ }).waitFor()

  await v.open('/audit')
  await page.getByText('没有权限').waitFor()
  await v.check('no-permission')

  await v.open('/account')
  await page.locator('.sign-ins li').first().waitFor()
  await v.check('account')
  const fill = async (present) => {
    await page.getByLabel('现在的密码', { exact: true }).fill(present)
    await page.getByLabel('新密码', { exact: true }).fill(second)
    await page.getByLabel('再输一次', { exact: true }).fill(second)
    await page.getByRole('button', { name: '修改密码', exact: true }).click()
  }
  await fill('不是这个密码不是')
  await page.getByText('现在的密码不正确').waitFor()
  await fill(first)
  await page.waitForURL(/\/sign-in/)
  await page.getByLabel('登录名').fill(login)
  await enterPassword(page, second)
  await page.waitForURL(/\/account$/)
  const elsewhere = await browser.newContext()
  const other = await patiently(() => elsewhere.request.post(`${URL_BASE}/api/v1/auth/sign-in`, { data: { login, password: second } }))
  assert.ok(other.ok())
  await page.reload()
  await page.locator('.sign-ins li').nth(1).waitFor()
  await page.locator('.sign-ins li').filter({ hasNotText: 'Chrome' }).or(page.locator('.sign-ins li').first()).first().getByRole('button').click()
  await page.waitForFunction(() => document.querySelectorAll('.sign-ins li').length <= 1)
  await elsewhere.close()
  await v.close()
})

for (const [width, theme] of [[390, 'dark'], [3840, 'light']]) {
  test(`one's own account fits (${width}, ${theme})`, async () => {
    const { state } = await newUser(`leader-${stamp}${width}`, '领导乙', ['leader', 'analyst'], '领导自己的一个长密码')
    const v = await visit(browser, { width, theme, as: state })
    await v.open('/account')
    await v.page.locator('.sign-ins li').first().waitFor()
    await v.check('account')
    await v.close()
  })
}
