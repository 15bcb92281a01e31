// How an answer came about: as this server tells it, and with a model that the walk makes up.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BIRTH_QUESTION, ask, launch, visit } from './browser.mjs'

const GIVEN = ['《优化生育政策若干措施》第三条 2025年7月1日以后出生的二孩，一次性生育补助5000元。', '《育儿补贴制度实施细则》第六条 每孩每年3600元，至其年满3周岁。']
const PHRASE = {
  name: 'phrase', label: '模型组织语言', start_ms: 30, ms: 1_840,
  attributes: {
    model: { name: 'qwen3-32b', site: 'remote', context: 32_768 }, prompt: 'service/answer@1', given: GIVEN,
    sentences: [
      { text: '二孩有两笔钱：一次性生育补助5000元，育儿补贴每年3600元。', pieces: [1, 2] },
      { text: '补贴发到孩子年满3周岁。', pieces: [2] },
      { text: '一共是20000元。', pieces: [1], dropped: { reason: 'number', what: '20000元' } },
      { text: '祝您生活愉快。', pieces: [], dropped: { reason: 'content', what: '祝您生活愉快。' } },
    ],
    nothing: false, failure: null, usage: { prompt: 812, completion: 64 },
  },
}

/** Puts a model's step into what the server tells. */
async function withModel(page) {
  await page.route('**/api/v1/traces/*', async (route) => {
    const response = await route.fetch()
    const trace = await response.json()
    const at = trace.spans.findIndex((s) => s.name === 'compose')
    trace.spans[at - 1].attributes.by_words_because = '向量还没有算好。'
    trace.spans.splice(at + 1, 0, PHRASE)
    return route.fulfill({ response, json: { ...trace, elapsed_ms: 1_900 } })
  })
}

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

for (const width of [390, 1366]) {
  for (const theme of ['light', 'dark']) {
    test(`the steps open, in the panel and as a page (${width}, ${theme})`, async () => {
      const v = await visit(browser, { width, theme })
      const { page } = v
      await v.context.grantPermissions(['clipboard-read', 'clipboard-write'])
      await v.open('/')
      const turn = await ask(page, BIRTH_QUESTION)
      await withModel(page)
      await turn.getByRole('button', { name: '过程' }).click()
      const panel = page.locator('#side-panel')
      await panel.getByText('采用 2 句，去掉 2 句').waitFor()
      const step = panel.locator('[data-step=phrase]')
      assert.ok(await step.getByText('数字无依据：20000元').isHidden(), 'closed at first')
      await step.locator('summary').first().click()
      await step.getByText('数字无依据：20000元').waitFor()
      await step.getByText('依据未提及', { exact: true }).waitFor()
      await v.check('trace-panel')

      await panel.getByRole('button', { name: '复制 JSON' }).click()
      await page.getByText('已复制过程').waitFor()
      const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))
      assert.equal(copied.spans.find((s) => s.name === 'phrase').attributes.prompt, 'service/answer@1')

      await panel.getByRole('link', { name: '整页打开' }).click()
      await page.waitForURL(/\/traces\/.+/)
      await panel.waitFor({ state: 'detached' })
      await page.getByText('检索方式：只按字词，因为向量还没有算好。').waitFor()
      await page.getByText('得分').first().waitFor()
      await v.check('trace-page')
      await page.locator('[data-step=phrase]').scrollIntoViewIfNeeded()
      await page.getByText('给模型的资料（2 段）').click()
      await page.getByText(GIVEN[0]).waitFor()
      await v.check('trace-phrase')
      await v.close()
    })
  }
}

test('a trace that is not there says so', async () => {
  const v = await visit(browser, { expected: [/Failed to load resource/] })
  await v.open('/traces/01a00000000000000000000000000000')
  await v.page.getByRole('alert').getByText('没有找到', { exact: true }).waitFor()
  await v.check('trace-none')
  await v.close()
})

for (const width of [390, 1366]) {
  test(`an answer in a model's words has its marks behind every sentence and is copied with its sources (${width})`, async () => {
    const v = await visit(browser, { width })
    const { page } = v
    await v.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.route('**/api/v1/ask', async (route) => {
      const response = await route.fetch()
      const body = await response.text()
      const answer = JSON.parse(body.match(/event: ?done\s+data: ?(.+)/)[1])
      const [first, second] = answer.citations
      const sentences = PHRASE.attributes.sentences.filter((s) => !s.dropped)
      const segments = sentences.map((s, i) => ({ text: s.text, citations: i === 0 ? [first.n, second.n] : [second.n] }))
      const events = [
        ['accepted', { session: answer.session, turn: answer.turn, trace: answer.trace }],
        ['citation', first], ['citation', second],
        ...segments.map((s) => ['segment', s]),
        ['done', { ...answer, segments, phrased_by: 'qwen3-32b', answer: sentences.map((s) => s.text).join('') }],
      ]
      return route.fulfill({ contentType: 'text/event-stream', body: events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('') })
    })
    await v.open('/')
    const turn = await ask(page, BIRTH_QUESTION)
    await turn.getByText('由 qwen3-32b 组织语言，每句均已核对依据').waitFor()
    const marks = turn.locator('.answer-text .citation-mark')
    assert.equal(await marks.count(), 3)
    assert.equal(await turn.locator('.answer-text p').count(), 1)
    await v.check('ask-phrased')
    await marks.nth(1).click()
    assert.equal(await marks.nth(1).innerText(), await page.locator('#side-panel .place').innerText().then((t) => t.split(' / ')[0]))
    await page.keyboard.press('Escape')
    await turn.getByRole('button', { name: '复制' }).click()
    await page.getByText('已复制回答和依据').waitFor()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    assert.match(copied, /3600元。\[1\]\[2\]补贴发到/)
    assert.match(copied, /依据：\n\[1\] 《/)
    await v.close()
  })
}
