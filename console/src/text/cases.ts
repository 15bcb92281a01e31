import type { CaseStatus, Condition, Decision, Guide, GuideRow } from '@/api/types'
import type { FeedbackReason } from '@/api/service'

export const FEEDBACK_REASONS: { value: FeedbackReason; label: string }[] = [
  { value: 'wrong', label: '说错了' },
  { value: 'incomplete', label: '不完整' },
  { value: 'outdated', label: '过时了' },
  { value: 'unclear', label: '看不懂' },
  { value: 'irrelevant', label: '答非所问' },
  { value: 'unsafe', label: '不合适' },
  { value: 'other', label: '其他' },
]

const STATUS: Record<CaseStatus, { label: string; tone: string }> = {
  submitted: { label: '已提交', tone: 'busy' },
  accepted: { label: '已受理', tone: 'busy' },
  returned: { label: '退回补正', tone: 'caution' },
  approved: { label: '已办结', tone: 'good' },
  rejected: { label: '不予办理', tone: 'bad' },
  withdrawn: { label: '已撤回', tone: '' },
}
export const CASE_STATUSES = Object.keys(STATUS) as CaseStatus[]
export const caseStatusLabel = (value: string): string => STATUS[value as CaseStatus]?.label ?? value
export const caseStatusTone = (value: string): string => STATUS[value as CaseStatus]?.tone ?? ''

export const DECISIONS: { value: Decision; label: string; key: string; needsOpinion: boolean; kind: string }[] = [
  { value: 'accept', label: '受理', key: 'c', needsOpinion: false, kind: '' },
  { value: 'approve', label: '同意', key: 'a', needsOpinion: false, kind: 'primary' },
  { value: 'return', label: '退回补正', key: 'r', needsOpinion: true, kind: '' },
  { value: 'reject', label: '不予办理', key: 'x', needsOpinion: true, kind: 'danger' },
]
export const decisionLabel = (value: string): string => DECISIONS.find((d) => d.value === value)?.label ?? value

/** A deadline in words, with how pressing it is. */
export function deadline(daysLeft: number | null): { text: string; tone: '' | 'bad' | 'caution' | 'good' } {
  if (daysLeft === null) return { text: '', tone: '' }
  if (daysLeft < 0) return { text: `超期 ${-daysLeft} 天`, tone: 'bad' }
  if (daysLeft === 0) return { text: '今天到期', tone: 'bad' }
  return { text: `还剩 ${daysLeft} 天`, tone: daysLeft <= 2 ? 'caution' : '' }
}

/** What a clerk sees at a row: right, or the condition that it fails, by the words of the condition. */
export function rowVerdict(row: GuideRow, conditions: Condition[]): { ok: boolean; reason: string } {
  if (row.origin === 'missing') return { ok: false, reason: '没有填' }
  const failed = conditions.filter((c) => c.state === 'unmet' && c.refuses).find((c) => c.told.includes(row.label))
  return failed ? { ok: false, reason: failed.text } : { ok: true, reason: '' }
}

/** Which row is chosen after a step of the keyboard. */
export function stepped<T extends { id: string }>(items: T[], id: string, by: number): T | null {
  if (items.length === 0) return null
  const at = items.findIndex((item) => item.id === id)
  if (at < 0) return items[0]!
  return items[Math.min(items.length - 1, Math.max(0, at + by))]!
}

export type CaseForm = Guide['form']
