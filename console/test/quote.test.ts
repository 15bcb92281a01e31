import { describe, expect, it } from 'vitest'
import { blocks, isRepeated, runningText, shownLabel } from '@/text/blocks'
import { codePointLength, findText, findTokens, locateQuote, mergeRanges, pieces, unitOffset, wholeTokens } from '@/text/quote'

const slice = (text: string, range: { start: number; end: number } | null) => range && text.slice(range.start, range.end)

describe('locateQuote', () => {
  const clause = '第八条 𠮷祥社区二孩家庭，发放一次性生育补贴5000元。'
  const start = 100
  const quoted = '发放一次性生育补贴5000元'
  const at = start + codePointLength(clause.slice(0, clause.indexOf(quoted)))
  const quote = { start: at, end: at + codePointLength(quoted), quote: quoted }

  it('finds a quotation by code points, behind a character of two units', () => {
    expect(slice(clause, locateQuote(clause, start, quote))).toBe(quoted)
  })

  it('prefers the offsets when the same words stand twice', () => {
    const text = '补贴500元；补贴500元。'
    expect(locateQuote(text, 0, { start: 7, end: 13, quote: '补贴500元' })).toEqual({ start: 7, end: 13 })
  })

  it('searches for the words when the offsets have become wrong', () => {
    expect(slice(clause, locateQuote(clause, start, { ...quote, start: at + 9, end: quote.end + 9 }))).toBe(quoted)
  })

  it('searches past differences in white space', () => {
    const text = '发放一次性\n生育补贴 5000元。'
    expect(slice(text, locateQuote(text, 0, { start: 900, end: 912, quote: quoted }))).toBe('发放一次性\n生育补贴 5000元')
  })

  it('lights the part that falls into this clause when a quotation runs on', () => {
    const first = '申请人应当提交下列材料：'
    const second = '（一）身份证；（二）户口簿。'
    const whole = { start: 0, end: 25, quote: `${first}\n（一）身份证；（二）户口簿` }
    expect(slice(first, locateQuote(first, 0, whole))).toBe(first)
    expect(slice(second, locateQuote(second, 13, whole))).toBe('（一）身份证；（二）户口')
  })

  it('lights nothing when the words are not there', () => {
    expect(locateQuote(clause, start, { start: 3, end: 9, quote: '没有这句话' })).toBeNull()
    expect(locateQuote(clause, start, { start: 100, end: 100, quote: '' })).toBeNull()
  })
})

describe('offsets, tokens and pieces', () => {
  it('turns code points into units', () => {
    expect(unitOffset('a𠮷b', 2)).toBe(3)
    expect(unitOffset('ab', 9)).toBe(2)
  })

  it('finds tokens regardless of case and merges overlaps', () => {
    expect(findTokens('HPV疫苗接种', ['hpv', '疫苗', '苗接'])).toEqual([{ start: 0, end: 6 }])
    expect(findTokens('甲乙', ['', ' '])).toEqual([])
    expect(mergeRanges([{ start: 4, end: 6 }, { start: 0, end: 2 }])).toEqual([{ start: 0, end: 2 }, { start: 4, end: 6 }])
  })

  it('cuts text into lit and unlit pieces that give the text again', () => {
    const parts = pieces('一二三四五', [{ start: 1, end: 3 }])
    expect(parts.map((p) => p.text).join('')).toBe('一二三四五')
    expect(parts.filter((p) => p.lit).map((p) => p.text)).toEqual(['二三'])
    expect(pieces('一二三四五', [{ start: 1, end: 4 }], 2, 5)).toEqual([
      { text: '三四', lit: true },
      { text: '五', lit: false },
    ])
  })

  it('lets go of tokens that are part of a longer one', () => {
    expect(wholeTokens(['二', '孩', '二孩', '补贴', '助', ''])).toEqual(['二孩', '补贴', '助'])
  })

  it('finds nothing for an empty needle', () => {
    expect(findText('文', '  ')).toBeNull()
  })
})

describe('blocks', () => {
  const text = '标准如下：\n| 类别 | 金额 |\n| --- | ---: |\n| 二孩 | 5000元 |\n|三孩|10000元|\n以上按月发放。'

  it('tells tables from paragraphs and keeps the place of every cell', () => {
    const [before, table, after] = blocks(text)
    expect(before?.type).toBe('paragraph')
    if (table?.type !== 'table') throw new Error('no table')
    expect(table.head.map((c) => slice(text, c))).toEqual(['类别', '金额'])
    expect(table.rows.map((row) => row.map((c) => slice(text, c)))).toEqual([['二孩', '5000元'], ['三孩', '10000元']])
    expect(after?.type === 'paragraph' && slice(text, after)).toBe('以上按月发放。')
  })

  it('takes a line with pipes but no rule below it as words', () => {
    expect(blocks('| 不是表格 |\n下一行').map((b) => b.type)).toEqual(['paragraph', 'paragraph'])
  })
})

describe('what is not said twice', () => {
  it('leaves out a label that the first line holds', () => {
    expect(shownLabel({ kind: 'question', label: '能领吗？', text: '3.问：能领吗？\n答：能。' })).toBe('')
    expect(shownLabel({ kind: 'article', label: '第三条', text: '第三条　补贴' })).toBe('')
    expect(shownLabel({ kind: 'table', label: '表1', text: '| 项目 |' })).toBe('表1')
    expect(shownLabel({ kind: 'front', label: '文首', text: '关于补贴的通知' })).toBe('')
  })

  it('sets quoted words as running text', () => {
    expect(runningText('| 类别 | 金额 |\n| --- | --- |\n| 二孩 | 5000元 |')).toBe('类别，金额\n二孩，5000元')
    expect(runningText('条件如下：\n\n（一）本市户籍；')).toBe('条件如下：\n（一）本市户籍；')
  })

  it('knows a repeated line by its words', () => {
    expect(isRepeated('甲局\u3000乙局关于补贴的通知', ['甲局 乙局关于补贴的通知'])).toBe(true)
    expect(isRepeated('关于补贴', ['关于补贴的通知'])).toBe(false)
  })
})
