import type { Span } from '@/api/types'

// What the steps of an answer wrote down. It comes as free JSON, and old answers keep what an older version wrote: whatever
// is not as expected is left to be shown as it is.

type Attributes = Record<string, unknown>

const REASON: Record<string, string> = {
  number: '数字无依据',
  date: '日期无依据',
  name: '名称无依据',
  negation: '与依据相反',
  content: '依据未提及',
}
const ATTRIBUTE: Record<string, string> = {
  content: '检索用语',
  expanded: '补充用语',
  as_of: '按哪一天',
  ranked_by: '检索方式',
  by_words_because: '只按字词，因为',
  support: '覆盖问题',
  least_support: '最低覆盖',
  documents: '文件',
  passages: '段落',
  citations: '依据',
  withheld: '撤下',
}
const RANKED: Record<string, string> = {
  words: '只按字词',
  meaning: '按意思',
  words_and_meaning: '字词和意思',
  'words+meaning': '字词和意思',
  hybrid: '字词和意思',
}

export const reasonLabel = (value: string) => REASON[value] ?? value
export const attributeLabel = (name: string) => ATTRIBUTE[name] ?? name
export const rankedLabel = (value: string) => RANKED[value] ?? value
export const percent = (share: number) => `${Math.round(share * 100)}%`

const record = (value: unknown): Attributes | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Attributes) : null
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** A sentence of a model, and why it was dropped, if it was. */
export interface JudgedSentence {
  text: string
  /** Numbers of the pieces of evidence, from 1. */
  pieces: number[]
  /** Such as “数字无依据：6000元”; empty where it was kept. */
  dropped: string
}

/** What asking a model to phrase came to. */
export interface Phrasing {
  model: string
  site: string
  prompt: string
  given: string[]
  sentences: JudgedSentence[]
  kept: number
  /** The model said that the evidence holds no answer. */
  nothing: boolean
  failure: string
  usage: { prompt: number; completion: number } | null
}

export function phrasing(span: Span): Phrasing | null {
  const { attributes } = span
  if (span.name !== 'phrase' || !Array.isArray(attributes['sentences'])) return null
  const model = record(attributes['model'])
  const usage = record(attributes['usage'])
  const sentences = attributes['sentences'].map(sentence)
  return {
    model: text(model?.['name']),
    site: text(model?.['site']),
    prompt: text(attributes['prompt']),
    given: list(attributes['given']).map(text),
    sentences,
    kept: sentences.filter((s) => s.dropped === '').length,
    nothing: attributes['nothing'] === true,
    failure: text(attributes['failure']),
    usage: usage && { prompt: number(usage['prompt']), completion: number(usage['completion']) },
  }
}

function sentence(value: unknown): JudgedSentence {
  const judged = record(value) ?? {}
  const said = text(judged['text'])
  return { text: said, pieces: list(judged['pieces']).map(number), dropped: dropped(judged['dropped'], said) }
}

function dropped(value: unknown, said: string): string {
  const why = record(value)
  if (!why) return text(value)
  const what = text(why['what'])
  const reason = reasonLabel(text(why['reason']))
  // Of a sentence without any basis, the whole of it is the reason.
  return what && what !== said ? `${reason}：${what}` : reason
}

/** A document among what was found, with the scores of its clauses. */
export interface FoundDocument {
  id: string
  title: string
  score: number
  support: number
  clauses: { ordinal: number; score: number }[]
}

/** What was found. */
export interface Retrieval {
  documents: FoundDocument[]
  support: number
  leastSupport: number
}

export function retrieval(span: Span): Retrieval | null {
  const { attributes } = span
  if (span.name !== 'retrieve' || !Array.isArray(attributes['documents'])) return null
  return {
    documents: attributes['documents'].map(found),
    support: number(attributes['support']),
    leastSupport: number(attributes['least_support']),
  }
}

function found(value: unknown): FoundDocument {
  const it = record(value) ?? {}
  return {
    id: text(it['document']),
    title: text(it['title']),
    score: number(it['score']),
    support: number(it['support']),
    clauses: list(it['clauses']).map((c) => ({ ordinal: number(record(c)?.['clause']), score: number(record(c)?.['score']) })),
  }
}

/** How it was looked for, where the step says so. */
export function ranked({ attributes }: Span): { by: string; because: string } | null {
  const by = text(attributes['ranked_by'])
  const because = text(attributes['by_words_because'])
  if (by) return { by: rankedLabel(by), because }
  return because ? { by: RANKED['words']!, because } : null
}

/** Whatever else a step wrote down, with its name in Chinese and its value as words. */
export function others(span: Span): { name: string; value: string }[] {
  const shown = new Set(['ranked_by', 'by_words_because'])
  if (phrasing(span)) for (const name of ['model', 'prompt', 'given', 'sentences', 'nothing', 'failure', 'usage']) shown.add(name)
  if (retrieval(span)) for (const name of ['documents', 'support', 'least_support']) shown.add(name)
  return Object.entries(span.attributes)
    .filter(([name]) => !shown.has(name))
    .map(([name, value]) => ({ name: attributeLabel(name), value: name === 'expanded' ? expansions(value) : written(value) }))
}

/** “生二胎 → 二孩、生育”, a line each. */
function expansions(value: unknown): string {
  const lines = list(value).map((it) => {
    const { term, to } = record(it) ?? {}
    return term ? `${text(term)} → ${list(to).map(text).join('、')}` : written(it)
  })
  return lines.join('\n') || '没有'
}

export function written(value: unknown): string {
  if (value === null || value === undefined || value === '') return '—'
  if (typeof value === 'number') return String(Number(value.toFixed(3)))
  if (Array.isArray(value)) return value.map(written).join(value.some((v) => record(v)) ? '\n' : '、') || '—'
  const fields = record(value)
  if (!fields) return String(value)
  return Object.entries(fields)
    .map(([name, v]) => `${name} ${written(v).replaceAll('\n', '；')}`)
    .join('，')
}

/** What a step came to, in a few words beside its name. */
export function gist(span: Span): string {
  const phrased = phrasing(span)
  if (phrased) {
    const away = phrased.sentences.length - phrased.kept
    const count = away > 0 ? `采用 ${phrased.kept} 句，去掉 ${away} 句` : `采用 ${phrased.kept} 句`
    return phrased.failure ? `没有写完，${count}` : count
  }
  const what = retrieval(span)
  if (what) {
    const by = ranked(span)
    return [`${what.documents.length} 份文件，覆盖 ${percent(what.support)}`, by?.by].filter(Boolean).join('，')
  }
  return ''
}
