import { describe, expect, it } from 'vitest'
import type { Ask, Guide } from '@/api/types'
import { answerOf, controlOf, explainedOnce, guideAt, leadOf, stagesOf, stepOf, stoppedAt, tellingSteps, touched, typedOf } from '@/text/guide'

const ask = (part: Partial<Ask>): Ask => ({
  field: 'f',
  label: '项',
  question: '几个？',
  type: 'text',
  choices: [],
  example: '',
  help: null,
  unit: null,
  optional: false,
  citations: [],
  ...part,
})

const guide = (part: Partial<Guide>): Guide => ({
  item: '租房提取',
  item_id: 'rent',
  state: 'asking',
  ask: null,
  form: { title: '', sections: [], statement: null },
  case: null,
  reasons: [],
  nearest: [],
  conditions: [],
  amounts: [],
  materials: [],
  progress: { done: 2, total: 9 },
  changed: [],
  needs_sign_in: false,
  ...part,
})

const turn = (g: Guide | null) => ({ state: 'done', guide: g })
const row = (field: string, value: string | null) => ({ field, label: field, value, origin: 'said' as const, ask: null })
const form = (value: string | null) => ({ title: '', sections: [{ title: '', rows: [row('a', value)] }], statement: null })

describe('which dialogue counts', () => {
  it('is the last one, also while a question aside is answered', () => {
    const open = turn(guide({}))
    expect(guideAt([turn(null), open])).toBe(open)
    expect(guideAt([open, turn(null)])).toBe(open)
    expect(guideAt([turn(null)])).toBeNull()
  })

  it('is none after one that was handed in or left, once something else was asked', () => {
    const left = turn(guide({ state: 'stopped' }))
    expect(guideAt([left])).toBe(left)
    expect(guideAt([left, turn(null)])).toBeNull()
    expect(stoppedAt([left, turn(null)])).toBe(left)
    expect(stoppedAt([left, turn(guide({}))])).toBeNull()
  })
})

describe('what the last message changed', () => {
  it('holds what was said, and what followed from it', () => {
    const amount = (value: string) => ({ label: '每月', value, steps: [], figures: [], headline: true, note: null, citations: [] })
    const before = guide({ form: form('1'), amounts: [amount('1500元')] })
    const now = guide({
      form: form('2'),
      amounts: [amount('3000元')],
      changed: [{ field: 'kind', label: '', from: null, to: '' }],
    })
    expect([...touched([turn(before), turn(now)])].sort()).toEqual(['a', 'kind', '每月'].sort())
    expect([...touched([turn(now)])]).toEqual(['kind'])
  })
})

describe('answers', () => {
  it('are said with their unit', () => {
    expect(answerOf(ask({ type: 'number', unit: '个月' }), ' 14 ')).toBe('14个月')
    expect(answerOf(ask({ type: 'money' }), '8500')).toBe('8500元')
    expect(answerOf(ask({ type: 'money' }), '一万')).toBe('一万')
    expect(answerOf(ask({ type: 'date' }), '2026-08-06')).toBe('2026年8月6日')
    expect(answerOf(ask({ type: 'choices' }), ['甲', '乙'])).toBe('甲、乙')
    expect(answerOf(ask({ type: 'number', unit: '个' }), '  ')).toBe('')
  })

  it('come back into the field that they are edited in', () => {
    expect(typedOf(ask({ type: 'date' }), '2026年8月6日')).toBe('2026-08-06')
    expect(typedOf(ask({ type: 'money' }), '47400.5元')).toBe('47400.5')
    expect(typedOf(ask({ type: 'name' }), '王小明')).toBe('王小明')
    expect(typedOf(ask({ type: 'number', unit: '个' }), null)).toBe('')
  })

  it('are chosen or typed by the kind of question', () => {
    expect(controlOf(ask({ type: 'yes_no' }))).toBe('buttons')
    expect(controlOf(ask({ type: 'choices' }))).toBe('checks')
    expect(controlOf(ask({ type: 'id_number' }))).toBe('line')
  })
})

describe('words', () => {
  it('leave out what the card says', () => {
    const asked = guide({ ask: ask({ question: '您结婚了吗？' }) })
    expect(leadOf('已记下姓名。\n您结婚了吗？', asked)).toBe('已记下姓名。')
    expect(leadOf('您结婚了吗？', asked)).toBe('')
    expect(leadOf('您符合办理条件，申请表已经填好。\n请核对', guide({ state: 'review' }))).toBe('')
    expect(leadOf('答案', null)).toBe('答案')
  })

  it('of a computation are its label and its formula', () => {
    expect(stepOf('总额：8500元 ÷ 30 × 158天 = 44766.67元').label).toBe('总额')
    expect(tellingSteps(['基数：8500元 = 8500元', '总额：8500元 ÷ 30 = 283.33元'])).toHaveLength(1)
  })

  it('say where the dialogue is', () => {
    expect(stagesOf(guide({})).map((s) => s.state)).toEqual(['here', 'ahead', 'ahead'])
    expect(stagesOf(guide({ state: 'submitted' })).every((s) => s.state === 'done')).toBe(true)
  })
})

describe('amounts', () => {
  it('explain a step and a figure once', () => {
    const amount = (label: string, steps: string[], figures: string[]) => ({
      label,
      value: '1元',
      steps,
      figures,
      headline: false,
      note: null,
      citations: [],
    })
    const [first, second] = explainedOnce([
      amount('总额', ['天数：1 + 1 = 2', '总额：2 × 3 = 6'], ['每天：3元']),
      amount('天数', ['天数：1 + 1 = 2'], ['每天：3元']),
    ])
    expect(first!.steps).toHaveLength(2)
    expect(second!.steps).toEqual(['天数：1 + 1 = 2'])
    expect(second!.figures).toEqual([])
  })
})
