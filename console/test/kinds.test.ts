import { describe, expect, it } from 'vitest'
import type { ClauseText } from '@/api/types'
import { guideFields, numeral, questionParts, stepHeading } from '@/text/kinds'

function clause(over: Partial<ClauseText>): ClauseText {
  return { clause: 0, kind: 'section', label: '', path: [], start: 0, end: 0, text: '', ...over }
}

describe('questions', () => {
  it('are cut into question and answer at their places in the text', () => {
    const text = '问：要不要钱？\n\n答：首次申领免费。\n\n依据：规定'
    const parts = questionParts({ kind: 'question', text })!
    expect(text.slice(parts.question.start, parts.question.end)).toBe('要不要钱？')
    expect(text.slice(parts.answer)).toBe('首次申领免费。\n\n依据：规定')
  })

  it('need no marks, and are nothing without an answer or in another clause', () => {
    const text = '要不要钱？\n免费。'
    expect(text.slice(questionParts({ kind: 'question', text })!.answer)).toBe('免费。')
    expect(questionParts({ kind: 'question', text: '要不要钱？' })).toBeNull()
    expect(questionParts({ kind: 'section', text })).toBeNull()
  })
})

describe('steps', () => {
  it('tell their number and name', () => {
    expect(stepHeading('第一步在首页点“社保打印”')).toEqual({ n: 1, title: '在首页点“社保打印”' })
    expect(stepHeading('第十二步　取件')).toEqual({ n: 12, title: '取件' })
    expect(stepHeading('准备')).toBeNull()
    expect(stepHeading('进一步了解')).toBeNull()
  })

  it('are numbered up to ninety-nine', () => {
    expect(['一', '十', '十一', '二十', '二十三', '7'].map(numeral)).toEqual([1, 10, 11, 20, 23, 7])
    expect(numeral('百')).toBeNull()
  })

})

describe('the fields of a guide', () => {
  it('are found by headings, in the order in which one asks, and by the rows of a table', () => {
    const fields = guideFields([
      clause({ clause: 1, path: ['一、事项基本信息'], text: '| 项目 | 内容 |\n| --- | --- |\n| 办结时限 | 5个工作日 |\n| 收费 | 不收费 |' }),
      clause({ clause: 2, path: ['二、申请材料'], text: '身份证；' }),
      clause({ clause: 3, path: ['二、申请材料'], text: '户口簿。' }),
      clause({ clause: 4, path: ['三、受理条件'], text: '常住本市。\n\n年满十八周岁。' }),
    ])
    expect(fields).toEqual([
      { label: '受理条件', clause: 4, lines: ['常住本市。', '年满十八周岁。'] },
      { label: '申请材料', clause: 2, lines: ['身份证；', '户口簿。'] },
      { label: '办理时限', clause: 1, lines: ['5个工作日'] },
      { label: '收费标准', clause: 1, lines: ['不收费'] },
    ])
  })

  it('are not taken from headings that speak of something else', () => {
    expect(guideFields([clause({ path: ['九、停止领取的条件'] }), clause({ path: ['二、领取期限'] })])).toEqual([])
  })
})
