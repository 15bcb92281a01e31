import { describe, expect, it } from 'vitest'
import type { Span } from '@/api/types'
import { gist, others, phrasing, ranked, retrieval, written } from '@/text/trace'

const span = (name: string, attributes: Record<string, unknown>): Span => ({ name, label: name, start_ms: 0, ms: 1, attributes })
const PHRASE = span('phrase', {
  model: { name: 'qwen', site: 'remote', context: 32768 },
  prompt: 'service/answer@1',
  given: ['《办法》第三条 补贴5000元。'],
  sentences: [
    { text: '补贴5000元。', pieces: [1] },
    { text: '补贴6000元。', pieces: [1], dropped: { reason: 'number', what: '6000元' } },
    { text: '明年起施行。', pieces: [], dropped: { reason: 'date', what: '明年' } },
    { text: '由市住建局办理。', pieces: [1], dropped: { reason: 'name', what: '市住建局' } },
    { text: '不需要户口。', pieces: [1], dropped: { reason: 'negation', what: '不需要' } },
    { text: '祝您生活愉快。', pieces: [], dropped: { reason: 'content', what: '祝您生活愉快。' } },
    { text: '新的原因。', pieces: [], dropped: { reason: 'tone', what: '口气' } },
  ],
  nothing: false,
  failure: null,
  usage: { prompt: 812, completion: 64 },
})

describe('the step of a model', () => {
  it('tells what was kept, and in words why the rest was not', () => {
    const told = phrasing(PHRASE)!
    expect(told).toMatchObject({ model: 'qwen', site: 'remote', prompt: 'service/answer@1', kept: 1, nothing: false, failure: '' })
    expect(told.usage).toEqual({ prompt: 812, completion: 64 })
    expect(told.sentences.map((s) => s.dropped)).toEqual([
      '',
      '数字无依据：6000元',
      '日期无依据：明年',
      '名称无依据：市住建局',
      '与依据相反：不需要',
      '依据未提及',
      'tone：口气',
    ])
    expect(gist(PHRASE)).toBe('采用 1 句，去掉 6 句')
    expect(others(PHRASE)).toEqual([])
  })

  it('says that it failed', () => {
    const failed = span('phrase', { model: null, prompt: 'p', given: [], sentences: [], nothing: true, failure: '模型没有回应。', usage: null })
    expect(phrasing(failed)).toMatchObject({ model: '', failure: '模型没有回应。', nothing: true, usage: null })
    expect(gist(failed)).toBe('没有写完，采用 0 句')
  })

  it('is shown as it is where it is not as expected', () => {
    const odd = span('phrase', { sentences: '无', other: 1 })
    expect(phrasing(odd)).toBeNull()
    expect(others(odd)).toEqual([{ name: 'sentences', value: '无' }, { name: 'other', value: '1' }])
  })
})

describe('the step that finds', () => {
  const RETRIEVE = {
    documents: [{ document: 'd1', title: '办法', score: 2.09, support: 1, clauses: [{ clause: 2, score: 71.74 }] }],
    support: 0.811,
    least_support: 0.4,
  }

  it('tells documents with their scores', () => {
    expect(retrieval(span('retrieve', RETRIEVE))).toEqual({
      documents: [{ id: 'd1', title: '办法', score: 2.09, support: 1, clauses: [{ ordinal: 2, score: 71.74 }] }],
      support: 0.811,
      leastSupport: 0.4,
    })
    expect(gist(span('retrieve', RETRIEVE))).toBe('1 份文件，覆盖 81%')
  })

  it('tells whether by words alone, and why', () => {
    expect(ranked(span('retrieve', RETRIEVE))).toBeNull()
    expect(ranked(span('retrieve', { ranked_by: 'words_and_meaning' }))).toEqual({ by: '字词和意思', because: '' })
    const because = span('retrieve', { ...RETRIEVE, by_words_because: '向量还没有算好' })
    expect(ranked(because)).toEqual({ by: '只按字词', because: '向量还没有算好' })
    expect(gist(because)).toBe('1 份文件，覆盖 81%，只按字词')
    expect(others(because)).toEqual([])
  })
})

describe('other steps', () => {
  it('name what they wrote down in Chinese', () => {
    const understand = span('understand', { content: '生二胎', expanded: [{ term: '生二胎', to: ['二孩', '生育'] }], as_of: '2026-11-28', novel: { a: 1 } })
    expect(others(understand)).toEqual([
      { name: '检索用语', value: '生二胎' },
      { name: '补充用语', value: '生二胎 → 二孩、生育' },
      { name: '按哪一天', value: '2026-11-28' },
      { name: 'novel', value: 'a 1' },
    ])
    expect(others(span('understand', { expanded: [] }))).toEqual([{ name: '补充用语', value: '没有' }])
  })

  it('write values of any kind', () => {
    expect([null, '', [], 0.12345, true, ['a', 'b'], [{ a: 1 }, { b: [1, 2] }]].map(written)).toEqual(['—', '—', '—', '0.123', 'true', 'a、b', 'a 1\nb 1、2'])
  })
})
