import type { ComposeInput, KnowledgeForm } from '@/api/types'
import type { KIND_TABS } from './labels'

export type FormKind = (typeof KIND_TABS)[number]

// Types rather than interfaces: what is kept as a draft must be assignable to a record.
export type PairTexts = { question: string; answer: string; variants: string; basis: string }
export type StepTexts = { title: string; text: string; picture: string }

/** What stands in the fields; each kind uses some of them. What may be left out is empty. */
export type FormTexts = {
  space: string
  title: string
  number: string
  issuer: string
  issued: string
  effective_from: string
  effective_until: string
  body: string
  audience: string
  time_limit: string
  fee: string
  contact: string
  basis: string[]
  conditions: string[]
  materials: string[]
  flow: string[]
  channels: string[]
  pairs: PairTexts[]
  steps: StepTexts[]
}

export type LineKey = { [K in keyof FormTexts]: FormTexts[K] extends string ? K : never }[keyof FormTexts]
export type ListKey = { [K in keyof FormTexts]: FormTexts[K] extends string[] ? K : never }[keyof FormTexts]

export type FieldSpec =
  | { type: 'line' | 'date' | 'text'; key: LineKey; label: string; required?: boolean; longest: number; help?: string }
  | { type: 'list'; key: ListKey; label: string; help?: string; unit: string }
  | { type: 'pairs'; key: 'pairs'; label: string }
  | { type: 'steps'; key: 'steps'; label: string }

// The limits are the server's.
const TITLE = 200
const LINE = 2_000
const TEXT = 50_000
const MOST = 500

const title: FieldSpec = { type: 'line', key: 'title', label: '标题', required: true, longest: TITLE }
const issuer = (label: string): FieldSpec => ({ type: 'line', key: 'issuer', label, longest: TITLE })
const body: FieldSpec = {
  type: 'text',
  key: 'body',
  label: '正文',
  required: true,
  longest: TEXT,
  help: '空一行分段；以“## ”开头的一行是小标题。',
}

export const FORMS: Record<FormKind, FieldSpec[]> = {
  policy: [
    title,
    { type: 'line', key: 'number', label: '文号', longest: TITLE, help: '例如：启政发〔2026〕1号。' },
    { ...issuer('发文机关'), help: '联合发文用“、”隔开。' } as FieldSpec,
    { type: 'date', key: 'issued', label: '发布日期', longest: 10 },
    { type: 'date', key: 'effective_from', label: '施行日期', longest: 10 },
    { type: 'date', key: 'effective_until', label: '失效日期', longest: 10, help: '长期有效留空。' },
    body,
  ],
  guide: [
    { ...title, label: '事项名称', help: '标题会自动成为“……办事指南”。' } as FieldSpec,
    issuer('办理机构'),
    { type: 'list', key: 'conditions', label: '受理条件', unit: '条' },
    { type: 'list', key: 'materials', label: '申请材料', unit: '份' },
    { type: 'list', key: 'flow', label: '办理流程', unit: '步' },
    { type: 'line', key: 'time_limit', label: '办理时限', longest: LINE },
    { type: 'line', key: 'fee', label: '收费标准', longest: LINE },
    { type: 'list', key: 'channels', label: '办理渠道', unit: '个' },
    { type: 'line', key: 'contact', label: '咨询方式', longest: LINE },
    { type: 'list', key: 'basis', label: '办理依据', unit: '项' },
  ],
  walkthrough: [
    title,
    issuer('发布单位'),
    { type: 'line', key: 'audience', label: '适用对象', longest: LINE },
    { type: 'steps', key: 'steps', label: '步骤' },
  ],
  faq: [title, issuer('发布单位'), { type: 'pairs', key: 'pairs', label: '问答' }],
  primer: [title, issuer('发布单位'), body],
}

export const emptyPair = (): PairTexts => ({ question: '', answer: '', variants: '', basis: '' })
export const emptyStep = (): StepTexts => ({ title: '', text: '', picture: '' })

export function emptyForm(): FormTexts {
  return {
    space: '',
    title: '',
    number: '',
    issuer: '',
    issued: '',
    effective_from: '',
    effective_until: '',
    body: '',
    audience: '',
    time_limit: '',
    fee: '',
    contact: '',
    basis: [''],
    conditions: [''],
    materials: [''],
    flow: [''],
    channels: [''],
    pairs: [emptyPair()],
    steps: [emptyStep()],
  }
}

const orNull = (text: string) => (text.trim() === '' ? null : text.trim())
const filled = (rows: string[]) => rows.map((row) => row.trim()).filter((row) => row !== '')
const blank = (row: object) => Object.values(row).every((value) => String(value).trim() === '')

/** What is sent: without rows in which nothing stands. */
export function toForm(kind: FormKind, texts: FormTexts): KnowledgeForm {
  const [name, by] = [texts.title.trim(), orNull(texts.issuer)]
  switch (kind) {
    case 'policy':
      return {
        kind,
        title: name,
        issuer: by,
        number: orNull(texts.number),
        issued: orNull(texts.issued),
        effective_from: orNull(texts.effective_from),
        effective_until: orNull(texts.effective_until),
        body: texts.body.trim(),
      }
    case 'guide':
      return {
        kind,
        item: name,
        issuer: by,
        basis: filled(texts.basis),
        conditions: filled(texts.conditions),
        materials: filled(texts.materials),
        steps: filled(texts.flow),
        time_limit: orNull(texts.time_limit),
        fee: orNull(texts.fee),
        channels: filled(texts.channels),
        contact: orNull(texts.contact),
      }
    case 'walkthrough':
      return {
        kind,
        title: name,
        issuer: by,
        audience: orNull(texts.audience),
        steps: texts.steps
          .filter((step) => !blank(step))
          .map((step) => ({ title: step.title.trim(), text: step.text.trim(), picture: step.picture || null })),
      }
    case 'faq':
      return {
        kind,
        title: name,
        issuer: by,
        pairs: texts.pairs
          .filter((pair) => !blank(pair))
          .map((pair) => ({
            question: pair.question.trim(),
            answer: pair.answer.trim(),
            variants: filled(pair.variants.split('\n')),
            basis: orNull(pair.basis),
          })),
      }
    case 'primer':
      return { kind, title: name, issuer: by, body: texts.body.trim() }
  }
}

const some = <T>(rows: T[], empty: T) => (rows.length > 0 ? rows : [empty])

/** A form read back into its fields. */
export function fromForm(form: KnowledgeForm, space: string): FormTexts {
  const texts = { ...emptyForm(), space, issuer: form.issuer ?? '' }
  switch (form.kind) {
    case 'policy':
      return {
        ...texts,
        title: form.title,
        number: form.number ?? '',
        issued: form.issued ?? '',
        effective_from: form.effective_from ?? '',
        effective_until: form.effective_until ?? '',
        body: form.body,
      }
    case 'guide':
      return {
        ...texts,
        title: form.item,
        basis: some(form.basis, ''),
        conditions: some(form.conditions, ''),
        materials: some(form.materials, ''),
        flow: some(form.steps, ''),
        time_limit: form.time_limit ?? '',
        fee: form.fee ?? '',
        channels: some(form.channels, ''),
        contact: form.contact ?? '',
      }
    case 'walkthrough': {
      const steps = form.steps.map((step) => ({ ...step, picture: step.picture ?? '' }))
      return { ...texts, title: form.title, audience: form.audience ?? '', steps: some(steps, emptyStep()) }
    }
    case 'faq': {
      const pairs = form.pairs.map((pair) => ({ ...pair, variants: pair.variants.join('\n'), basis: pair.basis ?? '' }))
      return { ...texts, title: form.title, pairs: some(pairs, emptyPair()) }
    }
    case 'primer':
      return { ...texts, title: form.title, body: form.body }
  }
}

export type Problems = Record<string, string>

/** What must be mended before it is sent, by the field's name: `title`, `conditions.2`, `pairs.0.answer`. */
export function formProblems(kind: FormKind, texts: FormTexts): Problems {
  const problems: Problems = {}
  const check = (name: string, text: string, longest: number, required: boolean, what: string) => {
    const length = [...text.trim()].length
    if (length === 0 && required) problems[name] = `请填写${what}。`
    else if (length > longest) problems[name] = `${what}有 ${length} 个字，最多 ${longest} 个，请缩短。`
  }
  for (const field of FORMS[kind]) {
    if (field.type === 'list') {
      if (filled(texts[field.key]).length > MOST) problems[field.key] = `${field.label}最多 ${MOST} 项。`
      texts[field.key].forEach((row, i) => check(`${field.key}.${i}`, row, LINE, false, `${field.label}第 ${i + 1} 项`))
    } else if (field.type === 'pairs') pairProblems(texts.pairs, check, problems)
    else if (field.type === 'steps') stepProblems(texts.steps, check, problems)
    else check(field.key, texts[field.key], field.longest, field.required ?? false, field.label)
  }
  if (kind === 'guide' && filled([...texts.conditions, ...texts.materials, ...texts.flow]).length === 0)
    problems['conditions'] = '受理条件、申请材料、办理流程至少填写一项。'
  const from = texts.effective_from || texts.issued
  if (kind === 'policy' && from && texts.effective_until && texts.effective_until < from)
    problems['effective_until'] = `失效日期不能早于 ${from}。`
  return problems
}

type Check = (name: string, text: string, longest: number, required: boolean, what: string) => void

function pairProblems(pairs: PairTexts[], check: Check, problems: Problems): void {
  if (pairs.every(blank)) problems['pairs.0.question'] = '请至少填写一问一答。'
  pairs.forEach((pair, i) => {
    if (blank(pair)) return
    check(`pairs.${i}.question`, pair.question, TITLE, true, '问题')
    check(`pairs.${i}.answer`, pair.answer, TEXT, true, '答案')
    check(`pairs.${i}.basis`, pair.basis, LINE, false, '依据')
  })
}

function stepProblems(steps: StepTexts[], check: Check, problems: Problems): void {
  if (steps.every(blank)) problems['steps.0.title'] = '请至少填写一步。'
  steps.forEach((step, i) => {
    if (blank(step)) return
    check(`steps.${i}.title`, step.title, TITLE, true, '步骤名称')
    check(`steps.${i}.text`, step.text, TEXT, true, '说明')
  })
}

/** What the server is asked to do: enter a new one, or change the one that was read. */
export function composeInput(kind: FormKind, texts: FormTexts, known: { id: string; revision: number } | null): ComposeInput {
  const form = toForm(kind, texts)
  return known ? { form, id: known.id, revision: known.revision, space: null } : { form, id: null, revision: null, space: orNull(texts.space) }
}

export interface PreviewPart {
  heading: string
  step?: number
  text: string
  picture?: string
}

/** The entry as it will be read. */
export function previewParts(kind: FormKind, texts: FormTexts): PreviewPart[] {
  if (kind === 'policy' || kind === 'primer') {
    return texts.body.split(/^## +/m).flatMap((part, i) => {
      const [first = '', ...rest] = part.split('\n')
      const section = i === 0 ? { heading: '', text: part.trim() } : { heading: first.trim(), text: rest.join('\n').trim() }
      return section.heading || section.text ? [section] : []
    })
  }
  const form = toForm(kind, texts)
  if (form.kind === 'faq') return form.pairs.map((pair) => ({ heading: pair.question, text: pair.answer }))
  if (form.kind === 'walkthrough')
    return form.steps.map((s, i) => ({ heading: s.title, step: i + 1, text: s.text, ...(s.picture ? { picture: s.picture } : {}) }))
  return FORMS.guide.flatMap((field) => {
    if (field.key === 'title' || field.key === 'issuer') return []
    const text = field.type === 'list' ? filled(texts[field.key]).join('\n') : field.type === 'line' ? texts[field.key].trim() : ''
    return text ? [{ heading: field.label, text }] : []
  })
}

/** A row moved to another place. */
export function movedRow<T>(rows: T[], from: number, to: number): T[] {
  if (to < 0 || to >= rows.length || from === to) return rows
  const next = [...rows]
  next.splice(to, 0, ...next.splice(from, 1))
  return next
}
