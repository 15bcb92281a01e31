import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { createApp, h, nextTick } from 'vue'
import type { Answer, Citation } from '@/api/types'
import AnswerText from '@/components/AnswerText.vue'
import { usePanel } from '@/stores/panel'
import { answerAsText, citationName, groupPoints, markLabel, paragraphs, setSegment, sourcesOf } from '@/text/segments'

const citation = (n: number): Citation => ({
  n,
  document: 'd1',
  title: '生育支持办法',
  number: '云卫规〔2025〕3号',
  issuer: null,
  path: '第二章 补贴 › 第三条',
  clause: 4,
  start: 0,
  end: 4,
  quote: '补贴5000元',
  status: 'current',
  effective_from: '2025-07-01',
  effective_until: null,
})

describe('segments', () => {
  it('names each mark once', () => {
    expect(setSegment({ text: '补贴5000元。\n', citations: [2, 1, 2] })).toEqual({ text: '补贴5000元。', marks: [2, 1] })
  })

  it('run on until one ends its line', () => {
    const texts = (...segments: string[]) =>
      paragraphs(segments.map((text) => ({ text, citations: [] }))).map((p) => p.map((s) => s.text))
    expect(texts('一。', '二。\n', '三。')).toEqual([['一。', '二。'], ['三。']])
    expect(texts()).toEqual([])
  })

  it('shows the quotation around a short answer with its words lit, and none that says the same again', () => {
    const long = { ...citation(1), quote: '二孩家庭补贴5000元，分两次发放' }
    const segments = [
      { text: '5000元', citations: [1] },
      { text: '补贴 5000元', citations: [2] },
    ]
    const [first, second] = sourcesOf([long, citation(2)], segments, [])
    expect(first?.quote).toBe(long.quote)
    expect(first?.lit.map((r) => long.quote.slice(r.start, r.end))).toEqual(['5000元'])
    expect(second?.quote).toBeNull()
    expect(sourcesOf([long], [], [])[0]).toMatchObject({ quote: long.quote, lit: [] })
  })

  it('puts title marks within title marks', () => {
    expect(citationName({ ...citation(1), title: '《若干措施》政策解读', path: '' })).toBe('《〈若干措施〉政策解读》')
  })

  it('names the document and the place in the label of a mark', () => {
    expect(markLabel(1, [citation(1)])).toBe('依据 1：《生育支持办法》 第二章 补贴 › 第三条')
    expect(markLabel(9, [])).toBe('依据 9')
  })

  it('groups points in the order in which people ask', () => {
    const points = [
      { kind: 'deadline' as const, label: '时限', text: '十二个月内', citation: 1 },
      { kind: 'amount' as const, label: '二孩', text: '5000元', citation: 1 },
      { kind: 'amount' as const, label: '三孩', text: '10000元', citation: 1 },
    ]
    expect(groupPoints(points).map((g) => [g.label, g.points.length])).toEqual([['金额', 2], ['时限', 1]])
  })

  it('copies an answer together with its sources', () => {
    const answer: Answer = {
      status: 'answered',
      answer: '有，5000元。',
      segments: [{ text: '有，5000元。', citations: [1] }],
      points: [],
      citations: [citation(1)],
      channels: [],
      notices: ['该文件自2025年7月1日起施行'],
      session: 's',
      turn: 't',
      trace: 'x',
      elapsed_ms: 3,
    }
    const text = answerAsText('有补贴吗？', answer)
    expect(text).toContain('答：有，5000元。[1]')
    expect(text).toContain('[1] 《生育支持办法》（云卫规〔2025〕3号） 第二章 补贴 › 第三条（现行有效）：“补贴5000元”')
    expect(text).toContain('提示：该文件自2025年7月1日起施行')
    expect(text).not.toContain('组织语言')

    const segments = [
      { text: '有，5000元。', citations: [1, 2] },
      { text: '分两次发放。', citations: [2] },
    ]
    const phrased = answerAsText('有补贴吗？', { ...answer, segments, citations: [citation(1), citation(2)], phrased_by: 'qwen' })
    expect(phrased).toContain('答：有，5000元。[1][2]分两次发放。[2]\n（由 qwen 组织语言，每句均已核对依据）')
    expect(phrased).toContain('\n[2] 《生育支持办法》')
  })
})

describe('AnswerText', () => {
  beforeEach(() => setActivePinia(createPinia()))

  it('puts every mark behind the sentence that it stands for', () => {
    const segments = [
      { text: '二孩5000元。', citations: [2, 1] },
      { text: '分两次发放。\n', citations: [1] },
      { text: '向社区申请。', citations: [3] },
    ]
    const host = document.createElement('div')
    const app = createApp({ render: () => h(AnswerText, { segments, citations: [citation(1), citation(2), citation(3)] }) })
    app.use(createPinia())
    app.mount(host)
    const lines = [...host.querySelectorAll('.answer-text > p')].map((p) => p.textContent?.replace(/\s/g, ''))
    expect(lines).toEqual(['二孩5000元。21分两次发放。1', '向社区申请。3'])
    app.unmount()
  })

  it('renders the words unchanged with a button per mark, which opens the panel there', async () => {
    const segments = [
      { text: '二孩5000元，', citations: [1] },
      { text: '三孩10000元。\n', citations: [2] },
      { text: '详见文件。', citations: [] },
    ]
    const citations = [citation(1), citation(2)]
    const host = document.createElement('div')
    const pinia = createPinia()
    setActivePinia(pinia)
    const app = createApp({ render: () => h(AnswerText, { segments, citations }) })
    app.use(pinia)
    app.mount(host)
    const marks = [...host.querySelectorAll<HTMLButtonElement>('button')]
    expect(marks.map((m) => m.textContent?.trim())).toEqual(['1', '2'])
    expect(marks[0]?.getAttribute('aria-label')).toContain('依据 1：《生育支持办法》')
    const words = [...host.querySelectorAll('.answer-text > p > span')].map((s) => s.textContent).join('\n')
    expect(words).toBe('二孩5000元，\n三孩10000元。\n详见文件。')
    marks[1]?.click()
    await nextTick()
    expect(usePanel().citation?.n).toBe(2)
    expect(marks[1]?.classList.contains('active')).toBe(true)
    app.unmount()
  })
})
