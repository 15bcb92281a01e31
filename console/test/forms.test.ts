import { describe, expect, it } from 'vitest'
import type { KnowledgeForm } from '@/api/types'
import { type FormKind, composeInput, emptyForm, formProblems, fromForm, movedRow, previewParts, toForm } from '@/text/forms'
import { KIND_TABS } from '@/text/labels'

const FILLED: Record<FormKind, KnowledgeForm> = {
  policy: { kind: 'policy', title: '办法', number: '一号', issuer: '甲局', issued: '2026-01-01', effective_from: '2026-02-01', effective_until: null, body: '## 总则\n\n第一条' },
  guide: { kind: 'guide', item: '落户', issuer: null, basis: [], conditions: ['甲', '乙'], materials: ['身份证'], steps: ['申请', '领取'], time_limit: '5天', fee: null, channels: ['窗口'], contact: '12345' },
  walkthrough: { kind: 'walkthrough', title: '怎么打印', issuer: null, audience: '市民', steps: [{ title: '开机', text: '按下。', picture: 'data:image/png;base64,AA' }, { title: '取件', text: '取走。', picture: null }] },
  faq: { kind: 'faq', title: '问答', issuer: '乙局', pairs: [{ question: '要钱吗？', answer: '不要。', variants: ['收费吗', '多少钱'], basis: '《办法》第一条' }] },
  primer: { kind: 'primer', title: '什么是社保', issuer: null, body: '社保是……' },
}

describe('forms', () => {
  it.each(KIND_TABS)('of kind %s come back the same from their fields, and have nothing wrong', (kind) => {
    const texts = fromForm(FILLED[kind], '默认')
    expect(toForm(kind, texts)).toEqual(FILLED[kind])
    expect(formProblems(kind, texts)).toEqual({})
  })

  it.each(KIND_TABS)('of kind %s say what is missing when nothing is filled in', (kind) => {
    expect(formProblems(kind, emptyForm())['title']).toBeDefined()
    expect(Object.keys(formProblems(kind, emptyForm())).length).toBeGreaterThan(1)
  })

  it('leave out rows in which nothing stands, and don’t find fault with them', () => {
    const texts = { ...emptyForm(), title: '问答', pairs: [{ question: ' ', answer: '', variants: '\n', basis: '' }, { question: '甲？', answer: '乙', variants: '', basis: '' }] }
    expect(toForm('faq', texts)).toMatchObject({ pairs: [{ question: '甲？', answer: '乙', variants: [], basis: null }] })
    expect(formProblems('faq', texts)).toEqual({})
  })

  it('name the row that is half filled or too long', () => {
    const texts = { ...emptyForm(), title: '𠮷'.repeat(201), pairs: [{ question: '甲？', answer: '', variants: '', basis: '' }] }
    expect(Object.keys(formProblems('faq', texts)).sort()).toEqual(['pairs.0.answer', 'title'])
    expect(formProblems('faq', { ...texts, title: '𠮷'.repeat(200) })['title']).toBeUndefined()
  })

  it('of a policy don’t end before they begin', () => {
    const texts = { ...emptyForm(), title: '办法', body: '正文', issued: '2026-03-01', effective_until: '2026-02-01' }
    expect(formProblems('policy', texts)['effective_until']).toContain('2026-03-01')
    expect(formProblems('policy', { ...texts, effective_from: '2026-01-01' })).toEqual({})
  })

  it('are sent as a change only of what was read', () => {
    const texts = { ...fromForm(FILLED.primer, '政务'), space: '政务' }
    expect(composeInput('primer', texts, { id: 'a', revision: 3 })).toMatchObject({ id: 'a', revision: 3, space: null })
    expect(composeInput('primer', texts, null)).toMatchObject({ id: null, revision: null, space: '政务' })
  })

  it('are previewed by their sections', () => {
    expect(previewParts('policy', fromForm(FILLED.policy, ''))).toEqual([{ heading: '总则', text: '第一条' }])
    expect(previewParts('guide', fromForm(FILLED.guide, '')).map((p) => p.heading)).toEqual(['受理条件', '申请材料', '办理流程', '办理时限', '办理渠道', '咨询方式'])
    expect(previewParts('walkthrough', fromForm(FILLED.walkthrough, ''))[0]).toEqual({ heading: '开机', step: 1, text: '按下。', picture: 'data:image/png;base64,AA' })
  })
})

describe('rows', () => {
  it('move within their list and not beyond it', () => {
    expect(movedRow(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
    expect(movedRow(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'c', 'b'])
    expect(movedRow(['a', 'b'], 0, -1)).toEqual(['a', 'b'])
    expect(movedRow(['a', 'b'], 1, 2)).toEqual(['a', 'b'])
  })
})
