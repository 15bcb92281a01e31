// Jobs, schedules and events. What a job does is the server's affair: the answers here are made up, so that every state
// is there at once, whatever this server happens to be at.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator } from './administrator.mjs'
import { VIEWPORTS, launch, visit } from './browser.mjs'

const MAY = ['list', 'get', 'cancel', 'retry', 'start', 'kinds', 'schedules', 'schedule_update'].map((n) => `jobs.${n}`)
MAY.push(...['deliveries', 'retry', 'discard', 'consumers'].map((n) => `events.${n}`))
const at = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString()

function stage() {
  const job = (id, state, more) => ({
    id, kind: 'knowledge.reindex', title: `重建检索索引 ${id}`, input: {}, priority: 0, state, cancelling: false, attempts: 1,
    max_attempts: 3, run_at: at(9), progress: { done: 0, total: 0, message: '' }, artifacts: [], created_at: at(9), created_by: '巡查员', ...more,
  })
  const jobs = [
    job('j1', 'running', { started_at: at(3), progress: { done: 412, total: 1280, message: '正在写入条款' } }),
    job('j2', 'queued', { attempts: 0 }),
    job('j3', 'failed', { title: '导出评测报告', started_at: at(60), finished_at: at(59), attempts: 3, error: '存储空间已满，写不下报告。请清理后重试。' }),
    job('j4', 'done', { title: '清理过期的登录', started_at: at(120), finished_at: at(119), schedule: 'sweep', created_by: undefined, result: { removed: 17 } }),
    job('j5', 'cancelled', { started_at: at(200), finished_at: at(190) }),
  ]
  const log = Array.from({ length: 40 }, (_, i) => ({ job: 'j1', seq: 39 - i, at: at(i / 20), line: `第 ${39 - i} 批条款已写入，共 ${(40 - i) * 10} 条` }))
  const schedules = [
    { id: 'sweep', kind: 'identity.sweep', input: {}, title: '清理过期的登录', when: { every_minutes: 60 }, enabled: true, next_at: at(-30), last_job: 'j4' },
    { id: 'verify', kind: 'audit.verify', input: {}, title: '核验审计日志', when: { daily: { at: '03:30' } }, enabled: true, next_at: at(-300), last_job: null },
    { id: 'report', kind: 'evals.run', input: {}, title: '每周评测', when: { weekly: { weekday: 1, at: '05:00' } }, enabled: false, next_at: null, last_job: null },
  ]
  const deliveries = ['parked', 'held', 'failing'].map((state, i) => ({
    id: `d${i}`, handler: 'notices', generation: 0, lane: 'l', sequence: i, state, attempts: 8 - i * 4, since: at(90), due_at: state === 'failing' ? at(-2) : undefined,
    error: state === 'held' ? undefined : '短信平台没有回应，已试多次。', event: { id: `e${i}`, kind: 'knowledge.imported', subject: `document-${i}`, at: at(90), data: {} },
  }))
  const consumers = [{ name: 'notices', kinds: ['knowledge.*'], lag: 0, running: 0, failing: 1, held: 1, parked: 1, generation: 0 }]
  return { jobs, log, schedules, deliveries, consumers }
}

const page = (items) => ({ items, total: items.length, page: 1, page_size: 20 })

async function visitStage(options) {
  const v = await visit(browser, { as, ...options })
  const s = stage()
  await v.page.route('**/api/v1/auth/me', async (route) => {
    const response = await route.fetch()
    const me = await response.json()
    return route.fulfill({ response, json: { ...me, capabilities: [...new Set([...me.capabilities, ...MAY])] } })
  })
  await v.page.route(/\/api\/v1\/(jobs|events)(\/|\?|$)/, (route) => {
    const request = route.request()
    const url = new URL(request.url())
    const [first, second, third, fourth] = url.pathname.split('/').slice(3)
    const json = (body) => route.fulfill({ json: body })
    if (first === 'jobs' && !second && request.method() === 'POST') return json(s.jobs[1])
    if (first === 'jobs' && !second) {
      const state = url.searchParams.get('state')
      return json(page(s.jobs.filter((j) => !state || j.state === state)))
    }
    if (second === 'kinds') return json({ items: [{ name: 'knowledge.reindex', title: '重建检索索引', startable: true, time_limit: 3600, max_attempts: 3, concurrency: 1 }] })
    if (second === 'schedules') {
      const schedule = s.schedules.find((x) => x.id === third)
      if (schedule) Object.assign(schedule, request.postDataJSON())
      return json(schedule ?? { items: s.schedules })
    }
    if (second === 'consumers') return json({ items: s.consumers })
    if (second === 'deliveries') {
      if (!third) return json(page(s.deliveries.filter((d) => !url.searchParams.get('state') || d.state === url.searchParams.get('state'))))
      const found = s.deliveries.find((d) => d.id === third)
      if (fourth === 'discard') s.deliveries = s.deliveries.filter((d) => d !== found)
      else found.state = 'running'
      return json(found)
    }
    const job = s.jobs.find((j) => j.id === second)
    if (!job) return route.fulfill({ status: 404, json: { code: 'not_found', title: '没有找到', detail: '没有这个作业。', status: 404 } })
    if (third === 'cancel') job.state = 'cancelled'
    if (third === 'retry') Object.assign(job, { state: 'queued', attempts: 0, error: undefined })
    return json(third ? job : { job, log: page(job.id === 'j1' ? s.log : []) })
  })
  return v
}

let browser
let as
before(async () => {
  as = await administrator()
  browser = await launch()
})
after(() => browser.close())

for (const width of Object.keys(VIEWPORTS).map(Number)) {
  for (const theme of ['light', 'dark']) {
    test(`jobs, one job, schedules and events (${width}, ${theme})`, async () => {
      const v = await visitStage({ width, theme })
      const { page } = v
      await v.open('/jobs')
      await page.locator('tr[data-id=j1]').waitFor()
      await page.getByRole('link', { name: /重建检索索引 j1 32%/ }).waitFor()
      await v.check('jobs')
      await page.getByRole('group', { name: '按状态筛选' }).getByRole('button', { name: '失败' }).click()
      await page.waitForURL(/state=failed/)
      await page.locator('tr[data-id=j1]').waitFor({ state: 'detached' })
      await v.open('/jobs/j1')
      await page.locator('.log li').nth(39).waitFor()
      await v.check('job')
      await page.getByRole('navigation', { name: '作业' }).getByText('计划').click()
      await page.getByText('每周一 05:00').waitFor()
      await v.check('schedules')
      await page.getByRole('navigation', { name: '作业' }).getByText('事件').click()
      await page.locator('tr[data-id=d0]').waitFor()
      await v.check('events')
      await v.close()
    })
  }
}

test('jobs are called off and tried again, schedules switched, events given up', async () => {
  const v = await visitStage()
  const { page } = v
  await v.open('/jobs')
  await page.getByRole('button', { name: '重试“导出评测报告”' }).click()
  await page.locator('tr[data-id=j3]').getByText('排队').waitFor()
  await page.getByRole('button', { name: '取消“重建检索索引 j1”' }).click()
  await page.getByRole('button', { name: '取消作业' }).click()
  await page.locator('tr[data-id=j1]').getByText('已取消').waitFor()
  await page.getByRole('button', { name: '启动作业' }).click()
  await page.getByLabel('参数（JSON）').fill('{"broken"')
  assert.ok(await page.getByRole('button', { name: '启动', exact: true }).isDisabled())
  await page.getByLabel('参数（JSON）').fill('')
  await v.check('job-start')
  await page.getByRole('button', { name: '启动', exact: true }).click()
  await page.waitForURL(/\/jobs\/j2$/)

  await v.open('/jobs/schedules')
  await page.getByRole('button', { name: '停用“核验审计日志”' }).click()
  await page.locator('tr[data-id=verify] .tag').getByText('停用').waitFor()
  await page.getByRole('button', { name: '撤销' }).click()
  await page.locator('tr[data-id=verify] .tag').getByText('启用').waitFor()
  await page.getByRole('button', { name: '修改“核验审计日志”何时执行' }).click()
  await page.getByLabel('周期').selectOption({ label: '每周' })
  await page.getByLabel('星期').selectOption({ label: '星期日' })
  await v.check('schedule-edit')
  await page.getByRole('button', { name: '保存' }).click()
  await page.getByText('每周日 03:30', { exact: true }).waitFor()

  await v.open('/jobs/events?state=parked')
  await page.getByRole('button', { name: /^放弃“knowledge.imported”/ }).click()
  await page.getByRole('button', { name: '放弃投递' }).click()
  await page.getByText('没有符合条件的事件').waitFor()
  await v.close()
})
