import type { ClauseText } from '@/api/types'
import { blocks } from './blocks'
import type { Range } from './quote'

/** Where a clause that is a question says what: the offsets are places in its text. */
export interface QuestionParts {
  question: Range
  /** Where the answer begins. */
  answer: number
}

/** The question and the answer of a clause such as “问：…\n\n答：…”; nothing where it is not one. */
export function questionParts(clause: Pick<ClauseText, 'kind' | 'text'>): QuestionParts | null {
  if (clause.kind !== 'question') return null
  const found = /^(\s*(?:问[:：])?\s*)([^\n]+)\n\s*(?:答[:：]\s*)?/.exec(clause.text)
  if (!found) return null
  const start = found[1]!.length
  return { question: { start, end: start + found[2]!.trimEnd().length }, answer: found[0].length }
}

const NUMERALS = '一二三四五六七八九十'

/** 12 from 十二, 3 from 3; nothing for what isn't a number. */
export function numeral(text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text)
  const [tens, ones, ...more] = text.includes('十') ? text.split('十') : ['', text]
  if (more.length > 0) return null
  const digit = (part: string, empty: number) => (part === '' ? empty : NUMERALS.indexOf(part) + 1)
  const value = text.includes('十') ? digit(tens!, 1) * 10 + digit(ones!, 0) : digit(ones!, 0)
  return value > 0 ? value : null
}

/** The number and the name of a step from its heading, e.g. “第二步　刷身份证”. */
export function stepHeading(heading: string): { n: number; title: string } | null {
  const found = /^第([一二三四五六七八九十\d]{1,4})步[\s　:：、.]*(.*)$/.exec(heading.trim())
  const n = found && numeral(found[1]!)
  return found && n ? { n, title: found[2]! } : null
}

/** What a guide must tell, by the words of its headings. Some headings speak of other things with the same words. */
const GUIDE: { label: string; heading: RegExp; not?: RegExp }[] = [
  { label: '受理条件', heading: /条件|申请对象|办理对象|适用对象|适用范围|服务对象/, not: /停止|取消|不予/ },
  { label: '申请材料', heading: /材料/ },
  { label: '办理流程', heading: /流程|程序|办理步骤/ },
  { label: '办理时限', heading: /(办理|办结|承诺|法定)(时限|期限)|^[一二三四五六七八九十]*、?时限/ },
  { label: '收费标准', heading: /收费|费用/, not: /补贴|报销|待遇/ },
  { label: '办理渠道', heading: /渠道|办理地点|办理方式|办理途径|在哪/ },
  { label: '咨询方式', heading: /咨询|联系/ },
]

export interface GuideField {
  label: string
  clause: number
  /** What it says, a line each. */
  lines: string[]
}

/** The fields of a guide with what it says of them, in the order in which one asks for them. */
export function guideFields(body: ClauseText[]): GuideField[] {
  return GUIDE.flatMap(({ label, heading, not }) => {
    const fits = (text: string) => heading.test(text) && !not?.test(text)
    const own = body.filter((c) => c.kind !== 'question' && fits(c.path[0] ?? ''))
    if (own.length > 0) return [{ label, clause: own[0]!.clause, lines: own.flatMap((c) => linesOf(c.text)) }]
    // Otherwise a row of a table of basic facts tells it.
    for (const clause of body) {
      const said = rowsOf(clause.text).filter(([name]) => name !== undefined && fits(name))
      if (said.length > 0) return [{ label, clause: clause.clause, lines: said.map((row) => row.slice(1).join('，')) }]
    }
    return []
  })
}

const linesOf = (text: string) =>
  blocks(text).flatMap((part) => {
    if (part.type === 'paragraph') return [text.slice(part.start, part.end).trim()]
    return part.rows.map((row) => row.map((cell) => text.slice(cell.start, cell.end)).join('：'))
  })

const rowsOf = (text: string) =>
  blocks(text).flatMap((part) => {
    return part.type === 'table' ? part.rows.map((row) => row.map((cell) => text.slice(cell.start, cell.end))) : []
  })
