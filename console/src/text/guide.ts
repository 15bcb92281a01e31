// Pure functions over guided dialogues: what is asked, what was answered, what changed.
import type { Amount, Ask, Guide, GuideRow } from '@/api/types'
import { chineseDate } from './format'

/** What of a turn these functions look at. */
export interface GuidedTurn {
  state: string
  guide: Guide | null
}

/**
 * The turn whose dialogue counts now: the last one that shows one. After a dialogue was handed in or left, it is shown
 * until something else is asked.
 */
export function guideAt<T extends GuidedTurn>(turns: T[]): T | null {
  for (let at = turns.length - 1; at >= 0; at--) {
    const turn = turns[at]!
    if (!turn.guide) continue
    const over = turn.guide.state === 'submitted' || turn.guide.state === 'stopped'
    const later = turns.slice(at + 1).some((t) => t.state === 'done')
    return over && later ? null : turn
  }
  return null
}

/** The dialogue that was left last and can be taken up again. */
export function stoppedAt<T extends GuidedTurn>(turns: T[]): T | null {
  const last = turns.filter((turn) => turn.guide).at(-1)
  return last?.guide?.state === 'stopped' ? last : null
}

/** Rows and amounts that the last message of a dialogue changed, by field and by label. */
export function touched(turns: GuidedTurn[]): Set<string> {
  const guided = turns.filter((turn) => turn.guide)
  const now = guided.at(-1)?.guide
  const before = guided.at(-2)?.guide
  const found = new Set<string>()
  if (!now) return found
  for (const change of now.changed) found.add(change.field)
  if (!before || before.item_id !== now.item_id) return found
  const was = new Map(rowsOf(before).map((row) => [row.field, row.value]))
  for (const row of rowsOf(now)) {
    if (row.value !== null && was.has(row.field) && was.get(row.field) !== row.value) found.add(row.field)
  }
  const amounts = new Map(before.amounts.map((amount) => [amount.label, amount.value]))
  for (const amount of now.amounts) {
    if (amount.value !== null && amounts.get(amount.label) !== amount.value) found.add(amount.label)
  }
  return found
}

export const rowsOf = (guide: Guide): GuideRow[] => guide.form.sections.flatMap((section) => section.rows)

/** The words of a turn without what the card beside them says again. */
export function leadOf(text: string, guide: Guide | null): string {
  if (!guide) return text
  const cut = (mark: string) => {
    const at = mark === '' ? -1 : text.lastIndexOf(mark)
    return at < 0 ? text : text.slice(0, at)
  }
  switch (guide.state) {
    case 'asking':
      return cut(guide.ask?.question ?? '').trim()
    case 'review':
      return cut('您符合办理条件').trim()
    case 'ineligible':
      return cut('按您说的情况').trim()
    case 'submitted':
      return cut('已经提交，办件编号').trim()
    default:
      return text.trim()
  }
}

export type AskControl = 'buttons' | 'checks' | 'number' | 'date' | 'line'

/** What one answers a question with. */
export function controlOf(ask: Ask): AskControl {
  switch (ask.type) {
    case 'yes_no':
    case 'choice':
      return 'buttons'
    case 'choices':
      return 'checks'
    case 'number':
    case 'money':
      return 'number'
    case 'date':
      return 'date'
    default:
      return ask.choices.length > 0 ? 'buttons' : 'line'
  }
}

export const unitOf = (ask: Ask): string => ask.unit ?? (ask.type === 'money' ? '元' : '')

/** What was typed or picked, as it is said to the server; empty if it says nothing. */
export function answerOf(ask: Ask, value: string | string[]): string {
  if (Array.isArray(value)) return value.join('、')
  const text = value.trim()
  if (text === '') return ''
  if (controlOf(ask) === 'date') return /^\d{4}-\d{2}-\d{2}$/.test(text) ? chineseDate(text) : text
  const unit = unitOf(ask)
  return controlOf(ask) === 'number' && unit !== '' && /\d$/.test(text) ? text + unit : text
}

/** An answer as the control for it takes it: the other way round. */
export function typedOf(ask: Ask, said: string | null): string {
  const text = said ?? ''
  if (controlOf(ask) === 'date') {
    const day = text.match(/^(\d{4})年(\d{1,2})月(\d{1,2})日$/)
    if (day) return [day[1], day[2]!.padStart(2, '0'), day[3]!.padStart(2, '0')].join('-')
    return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : ''
  }
  if (controlOf(ask) === 'number') return text.match(/-?[\d.,]*\d/)?.[0].replaceAll(',', '') ?? ''
  return text
}

/** How a field of one line is typed: keyboard, what the browser may fill in, and how long it gets. */
export function lineOf(ask: Ask): { inputmode: 'text' | 'numeric' | 'tel' | 'email'; autocomplete: string; maxlength: number } {
  switch (ask.type) {
    case 'name':
      return { inputmode: 'text', autocomplete: 'name', maxlength: 60 }
    case 'phone':
      return { inputmode: 'tel', autocomplete: 'tel', maxlength: 20 }
    case 'bank_card':
      return { inputmode: 'numeric', autocomplete: 'off', maxlength: 30 }
    case 'email':
      return { inputmode: 'email', autocomplete: 'email', maxlength: 100 }
    case 'address':
      return { inputmode: 'text', autocomplete: 'street-address', maxlength: 200 }
    case 'id_number':
    case 'credit_code':
    case 'plate':
      return { inputmode: 'text', autocomplete: 'off', maxlength: 30 }
    default:
      return { inputmode: 'text', autocomplete: 'off', maxlength: 500 }
  }
}

/** A step of a computation: what is computed, and the formula. */
export function stepOf(step: string): { label: string; formula: string } {
  const at = step.indexOf('：')
  return at < 0 ? { label: '', formula: step } : { label: step.slice(0, at), formula: step.slice(at + 1) }
}

/** Steps that compute something; one that only repeats a value says nothing. */
export const tellingSteps = (steps: string[]): string[] => steps.filter((step) => /[×÷+−]|较|后\d/.test(stepOf(step).formula))

/** Amounts one below the other: what an earlier one has explained already is not said again. */
export function explainedOnce(amounts: Amount[]): Amount[] {
  const said = new Set<string>()
  const fresh = (lines: string[]) => lines.filter((line) => !said.has(line) && said.add(line))
  return amounts.map((amount) => {
    const own = amount.steps.filter((step) => stepOf(step).label === amount.label)
    const steps = fresh(amount.steps)
    // An amount keeps at least its own formula.
    // A table of figures comes with the codes of its rows: those are not for people.
    const figures = amount.figures.filter((figure) => !/[a-z]{2,} \d/.test(figure))
    return { ...amount, steps: steps.length > 0 ? steps : own, figures: amount.value ? fresh(figures) : [] }
  })
}

/** What is worth reading before one hands in: not what is only a step of the amounts that come first. */
export function decidingAmounts(amounts: Amount[]): Amount[] {
  const inner = new Set(amounts.filter((a) => a.headline).flatMap((a) => a.steps.map((step) => stepOf(step).label)))
  return explainedOnce(amounts.filter((a) => a.headline || (a.value !== null && !inner.has(a.label))))
}

/** The stages of a dialogue, with where it is. */
export function stagesOf(guide: Guide): { label: string; state: 'done' | 'here' | 'ahead' }[] {
  const { done, total } = guide.progress
  const at = { asking: 0, stopped: 0, ineligible: 0, review: 1, submitted: 3 }[guide.state]
  const labels = [`回答问题 ${done}/${total}`, '核对', '提交']
  return labels.map((label, i) => ({ label, state: i < at ? 'done' : i === at ? 'here' : 'ahead' }))
}
