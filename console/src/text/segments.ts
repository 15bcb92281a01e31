import type { Answer, Citation, Point, PointKind, Segment } from '@/api/types'
import { runningText } from './blocks'
import { bookTitle } from './format'
import { POINT_KINDS, documentStatusLabel } from './labels'
import { type Range, findText, mergeRanges } from './quote'

/** A segment ready to be set: its words, and the marks that follow them. */
export interface SetSegment {
  text: string
  marks: number[]
}

export function setSegment(segment: Segment): SetSegment {
  return { text: runningText(segment.text), marks: [...new Set(segment.citations)] }
}

/** Segments by paragraph: a new one begins after a segment that ends its line, so that the sentences of a model run on. */
export function paragraphs(segments: Segment[]): SetSegment[][] {
  const result: SetSegment[][] = []
  let ended = true
  for (const segment of segments) {
    if (ended) result.push([])
    result.at(-1)!.push(setSegment(segment))
    ended = segment.text.endsWith('\n')
  }
  return result
}

/** Who found the words, where it was a model. */
export const phrasedBy = (model: string) => `由 ${model} 组织语言，每句均已核对依据`

/** A source below the answer: its quotation, unless the answer says the very same, with the answer's words lit. */
export interface Source {
  citation: Citation
  quote: string | null
  lit: Range[]
}

export function sourcesOf(citations: Citation[], segments: Segment[], points: Point[]): Source[] {
  return citations.map((citation) => {
    const said = [
      ...segments.filter((s) => s.citations.includes(citation.n)).map((s) => runningText(s.text)),
      ...points.filter((p) => p.citation === citation.n).map((p) => runningText(p.text)),
    ]
    const quote = runningText(citation.quote)
    const same = said.some((text) => bare(text) === bare(quote))
    const lit = same ? [] : said.map((text) => findText(quote, text)).filter((range) => range !== null)
    return { citation, quote: same || quote === '' ? null : quote, lit: mergeRanges(lit) }
  })
}

const bare = (text: string) => text.replace(/\s/g, '')

export function citationName(citation: Citation): string {
  const path = citation.path ? ` ${citation.path}` : ''
  return bookTitle(citation.title) + path
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
  const marked = ({ text, marks }: SetSegment) => text + marks.map((n) => `[${n}]`).join('')
  const body = paragraphs(answer.segments)
    .map((paragraph) => paragraph.map(marked).join(''))
    .join('\n')
  lines.push(`答：${body || answer.answer}`)
  if (answer.phrased_by) lines.push(`（${phrasedBy(answer.phrased_by)}）`)
  for (const group of groupPoints(answer.points)) {
    lines.push(`${group.label}：${group.points.map((p) => `${runningText(p.text)}[${p.citation}]`).join('；')}`)
  }
  for (const notice of answer.notices) lines.push(`提示：${notice}`)
  for (const channel of answer.channels) lines.push(`可咨询：${channel.name} ${channel.contact} ${channel.note}`.trimEnd())
  if (answer.citations.length > 0) lines.push('', '依据：')
  for (const c of answer.citations) {
    const number = c.number ? `（${c.number}）` : ''
    lines.push(`[${c.n}] ${bookTitle(c.title)}${number} ${c.path}（${documentStatusLabel(c.status)}）：“${runningText(c.quote)}”`)
  }
  return lines.join('\n')
}
