import type { Answer, Citation, Point, PointKind, Segment } from '@/api/types'
import { POINT_KINDS, documentStatusLabel } from './labels'

/** A segment ready to be set: its words, the marks that follow them, and the white space after the marks. */
export interface SetSegment {
  text: string
  marks: number[]
  tail: string
}

/** Marks stand directly behind the words they prove: before a line break, not after it. */
export function setSegment(segment: Segment): SetSegment {
  const text = segment.text.trimEnd()
  return {
    text,
    marks: [...new Set(segment.citations)],
    tail: segment.text.slice(text.length),
  }
}

export function citationName(citation: Citation): string {
  const path = citation.path ? ` ${citation.path}` : ''
  return `《${citation.title}》${path}`
}

export function markLabel(n: number, citations: Citation[]): string {
  const citation = citations.find((c) => c.n === n)
  return citation ? `依据 ${n}：${citationName(citation)}` : `依据 ${n}`
}

/** Points by kind, in the order in which people ask: conditions, amount, materials, where, until when. */
export function groupPoints(points: Point[]): { kind: PointKind; label: string; points: Point[] }[] {
  return POINT_KINDS.map(({ kind, label }) => ({ kind, label, points: points.filter((p) => p.kind === kind) })).filter(
    (group) => group.points.length > 0,
  )
}

/** An answer as plain text that still names its sources, for pasting into a message or a document. */
export function answerAsText(question: string, answer: Answer): string {
  const lines = [`问：${question}`, '']
  let body = ''
  for (const segment of answer.segments) {
    const set = setSegment(segment)
    body += set.text + set.marks.map((n) => `[${n}]`).join('') + set.tail
  }
  lines.push(`答：${body || answer.answer}`)
  for (const group of groupPoints(answer.points)) {
    lines.push(`${group.label}：${group.points.map((p) => `${p.text}[${p.citation}]`).join('；')}`)
  }
  for (const notice of answer.notices) lines.push(`提示：${notice}`)
  for (const channel of answer.channels) lines.push(`可咨询：${channel.name} ${channel.contact} ${channel.note}`.trimEnd())
  if (answer.citations.length > 0) lines.push('', '依据：')
  for (const c of answer.citations) {
    const number = c.number ? `（${c.number}）` : ''
    lines.push(`[${c.n}] 《${c.title}》${number} ${c.path}（${documentStatusLabel(c.status)}）：“${c.quote.trim()}”`)
  }
  return lines.join('\n')
}
