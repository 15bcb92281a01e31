// The page of models. First as this server has it; then with answers made up, so that every state is there at once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator } from './administrator.mjs'
import { launch, visit } from './browser.mjs'

const LOCAL = { site: 'local', available: true, place: 0, fault: null, sha256: '0'.repeat(64), licence: 'Apache-2.0', notes: null, source: '软件包 3' }
const model = (name, title, part, more) => ({ ...LOCAL, name, title, part, size: 71_622_400, ...more })
const rung = (name, site, more) => ({
  model: { name, site, context: 32_768 }, health: 'open', rests_for: null, first_text_ms: 412, asked: 1_240, answered: 1_236, failed: 4, last_error: null, last_error_at: null, ...more,
})

function stage() {
  const at = new Date().toISOString()
  return {
    view: {
      folder: '/var/lib/citymind/models',
      meaning: { model: { name: 'e5', site: 'local', context: 512 }, clauses: 51_200, waiting: 18_304 },
      chat: [
        rung('qwen', 'remote', { health: 'resting', rests_for: 24, last_error: '模型服务 60 秒内没有回应。', last_error_at: at }),
        rung('small', 'local', { first_text_ms: 2_310, asked: 31, answered: 31, failed: 0 }),
      ],
      reranker: null,
      models: [
        model('e5', '向量模型 E5 small', 'embedding', { place: 1, notes: '向量检索的默认模型，384 维，在进程内运行。' }),
        model('big', '向量模型 E5 base', 'embedding', { available: false, source: null }),
        model('qwen', '市政务云 Qwen3 32B', 'chat', { site: 'remote', place: 1, size: null, sha256: null, licence: null, source: null }),
        model('small', '本地对话模型 1.5B', 'chat', { place: 2, size: 1_117_320_768, notes: '只用于填槽和改写有依据的文字。' }),
        model('tiny', '本地对话模型 0.5B', 'chat', { size: 491_400_064 }),
        model('odd', '本地对话模型 3B', 'chat', { place: 3, fault: '模型文件已损坏或被改动（SHA-256 不符）。' }),
      ],
    },
    jobs: [{
      id: 'p1', kind: 'models.pull', title: '下载模型 向量模型 E5 base', input: { name: 'big' }, priority: 0, state: 'running', cancelling: false, attempts: 1, max_attempts: 3,
      run_at: at, progress: { done: 412, total: 1000, message: '下载' }, artifacts: [], created_at: at, created_by: '巡查员',
    }],
    asked: [],
  }
}

/** Uses what it is told, as the server does. */
function use(s, name, { part, behind }) {
  const names = name === 'none' ? [] : [name, ...behind]
  for (const m of s.view.models.filter((m) => m.part === part)) m.place = names.indexOf(m.name) + 1
  if (part === 'chat') s.view.chat = names.map((n) => rung(n, 'local')).filter((r) => r.model.name !== 'odd')
  return { part, models: names }
}

async function visitStage(options) {
  const v = await visit(browser, { as, ...options })
  const s = stage()
  await v.page.route(/\/api\/v1\/(models|jobs)(\/|\?|$)/, (route) => {
    const request = route.request()
    const [first, second, third] = new URL(request.url()).pathname.split('/').slice(3)
    const json = (body) => route.fulfill({ json: body })
    if (request.method() !== 'GET') s.asked.push(`${request.method()} ${[first, second, third].filter(Boolean).join('/')}`)
    if (first === 'jobs') {
      if (third === 'cancel') s.jobs[0].state = 'cancelled'
      return json(second ? s.jobs[0] : { items: s.jobs, total: s.jobs.length, page: 1, page_size: 50 })
    }
    if (third === 'use') return json(use(s, second, request.postDataJSON()))
    if (third === 'pull') {
      s.jobs[0].state = 'running'
      return json({ job: 'p1' })
    }
    if (request.method() === 'DELETE') {
      Object.assign(s.view.models.find((m) => m.name === second), { available: false, source: null })
      return json({ name: second })
    }
    return json(s.view)
  })
  await v.page.route('**/api/v1/status', async (route) => {
    // The page may be gone before the answer is here.
    const response = await route.fetch().catch(() => null)
    if (!response) return
    const model = { mode: 'remote', chat: 'qwen', embedder: 'e5', waiting: s.view.meaning.waiting }
    return route.fulfill({ response, json: { ...(await response.json()), model } })
  })
  return { ...v, s }
}

let browser
let as
before(async () => {
  as = await administrator()
  browser = await launch()
})
after(() => browser.close())

const row = (page, id) => page.locator(`tr[data-id="${id}"]`)

for (const width of [390, 1366]) {
  for (const theme of ['light', 'dark']) {
    test(`models as they are here, and in every state (${width}, ${theme})`, async () => {
      const here = await visit(browser, { width, theme, as })
      await here.open('/models')
      await here.page.getByText('没有使用排序模型').waitFor()
      await here.page.getByText('没有模型时哪些能用').click()
      await here.check('models')
      await here.close()

      const v = await visitStage({ width, theme })
      const { page } = v
      await v.open('/models')
      await row(page, 'big').getByText('下载 41%').waitFor()
      await page.getByText('32,896 / 51,200 个条款').waitFor()
      await page.getByText('暂停使用，24 秒后再试').waitFor()
      await row(page, 'qwen').getByText('使用中·首选').waitFor()
      await row(page, 'small').getByText('使用中·后备 1').waitFor()
      await row(page, 'odd').getByText('启用失败').waitFor()
      if (width === 1366) await page.locator('a.chip').getByText('正在为 18,304 个条款计算向量').waitFor()
      await v.check('models-states')
      await row(page, 'tiny').scrollIntoViewIfNeeded()
      await v.check('models-table')
      await v.close()
    })
  }
}

test('a model that is not there says so when it is used, and can be fetched from there', async (t) => {
  const v = await visit(browser, { as, expected: [/Failed to load resource/] })
  const { page } = v
  await v.open('/')
  await page.locator('a.chip').click()
  await page.waitForURL(/\/models$/)
  await page.locator('tr[data-id]').first().waitFor()
  const absent = page.locator('tr[data-id]').filter({ hasText: '未下载' }).first()
  if ((await absent.count()) === 0) return t.skip('every model is there already')
  await absent.getByRole('button', { name: /^启用/ }).click()
  const toast = page.locator('.toast').filter({ hasText: '还没有下载' })
  await toast.getByRole('button', { name: '下载', exact: true }).waitFor()
  await absent.getByText('未下载').waitFor()
  await v.check('models-not-there')
  await v.close()
})

test('models are put in order, stopped and had back, fetched and removed', async () => {
  const v = await visitStage()
  const { page, s } = v
  await v.open('/models')
  await row(page, 'tiny').getByRole('button', { name: /设为后备/ }).click()
  await row(page, 'tiny').getByText('使用中·后备 3').waitFor()
  await row(page, 'tiny').getByRole('button', { name: /设为首选/ }).click()
  await row(page, 'tiny').getByText('使用中·首选').waitFor()
  await row(page, 'qwen').getByText('使用中·后备 1').waitFor()
  await row(page, 'tiny').getByRole('button', { name: /停用/ }).click()
  await row(page, 'tiny').getByText('可用').waitFor()
  await page.locator('.toast').filter({ hasText: '已停用' }).getByRole('button', { name: '撤销' }).click()
  await row(page, 'tiny').getByText('使用中·首选').waitFor()
  await row(page, 'tiny').getByRole('button', { name: /停用/ }).click()
  await row(page, 'tiny').getByText('可用').waitFor()

  await row(page, 'tiny').getByRole('button', { name: /删除/ }).click()
  await page.getByRole('dialog').getByText('删除“本地对话模型 0.5B”？').waitFor()
  await v.check('models-remove')
  await page.getByRole('button', { name: '删除模型' }).click()
  await row(page, 'tiny').getByText('未下载').waitFor()

  await row(page, 'big').getByRole('button', { name: /取消下载/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: '取消下载' }).click()
  await row(page, 'big').getByText('未下载').waitFor()
  await row(page, 'big').getByRole('button', { name: /^下载/ }).click()
  await row(page, 'big').getByText('下载 41%').waitFor()
  assert.deepEqual(s.asked.slice(-3), ['DELETE models/tiny', 'POST jobs/p1/cancel', 'POST models/big/pull'])
  await v.close()
})
