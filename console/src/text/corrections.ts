import type { CorrectedField, DocumentDetail, EditInput } from '@/api/types'
import { documentKindLabel } from './labels'

/** What stands in the fields of the dialog; topics are joined by 、. */
export type FieldTexts = Record<CorrectedField, string>

const topicsOf = (text: string) => [...new Set(text.split(/[、，,;；\s]+/).filter((topic) => topic !== ''))]

/** A value of the server as it stands in its field. */
export function fieldText(value: unknown): string {
  if (Array.isArray(value)) return value.join('、')
  return typeof value === 'string' ? value : ''
}

export function fieldTexts(document: DocumentDetail): FieldTexts {
  const { title, kind, issuer, number, region, issued, effective_from, effective_until, topics, space } = document
  return {
    title,
    kind,
    issuer: issuer ?? '',
    number: number ?? '',
    region: region ?? '',
    issued: issued ?? '',
    effective_from: effective_from ?? '',
    effective_until: effective_until ?? '',
    topics: topics.join('、'),
    space,
  }
}

const value = (field: CorrectedField, text: string) =>
  field === 'topics' ? topicsOf(text) : text.trim() === '' ? null : text.trim()

/** What is sent: only what differs from what stands; what is taken back to the file is undone, not written again. */
export function corrections(document: DocumentDetail, texts: FieldTexts, undo: CorrectedField[]): EditInput {
  const before = fieldTexts(document)
  const set: EditInput['set'] = {}
  for (const field of Object.keys(before) as CorrectedField[]) {
    if (undo.includes(field)) continue
    const now = value(field, texts[field])
    if (JSON.stringify(now) !== JSON.stringify(value(field, before[field]))) set[field] = now
  }
  return { revision: document.revision, set, undo }
}

export interface Difference {
  field: CorrectedField
  before: string
  now: string
}

/** Which fields someone else changed meanwhile. */
export function differences(before: DocumentDetail, now: DocumentDetail): Difference[] {
  const [old, later] = [fieldTexts(before), fieldTexts(now)]
  return (Object.keys(old) as CorrectedField[])
    .filter((field) => old[field] !== later[field])
    .map((field) => ({ field, before: shownValue(field, old[field]), now: shownValue(field, later[field]) }))
}

export const shownValue = (field: CorrectedField, text: string) =>
  text === '' ? '（空）' : field === 'kind' ? documentKindLabel(text) : text

/** What is wrong before the server is asked. */
export function correctionProblems(texts: FieldTexts): Partial<Record<CorrectedField, string>> {
  const problems: Partial<Record<CorrectedField, string>> = {}
  if (texts.title.trim() === '') problems.title = '标题不能为空。'
  if (texts.space.trim() === '') problems.space = '请填写知识空间。'
  const from = texts.effective_from || texts.issued
  if (from && texts.effective_until && texts.effective_until < from)
    problems.effective_until = `失效日期不能早于${texts.effective_from ? '施行' : '发布'}日期 ${from}。`
  return problems
}
