// Service items, the cases that come of them, and what people say of answers.
import { json, part, send, url } from './client'
import type { CaseSummary, CaseView, Decision, ImportedItems, ItemSummary, ItemView, Page } from './types'

export interface ItemFile {
  path: string
  content: string
}

export const service = {
  items: (query: { q?: string; area?: string; page?: number; page_size?: number }, signal?: AbortSignal) =>
    json<Page<ItemSummary>>('/service/items', { query, signal }),
  item: (id: string, signal?: AbortSignal) => json<ItemView>(`/service/items/${part(id)}`, { signal }),
  importItems: (files: ItemFile[], dryRun: boolean) =>
    json<ImportedItems>('/service/items', { method: 'POST', body: { files, dry_run: dryRun } }),
  removeItem: (id: string) =>
    json<{ id: string; source: string }>(`/service/items/${part(id)}`, { method: 'DELETE' }),
}

export interface CaseQuery {
  status?: string
  item?: string
  q?: string
  open?: boolean
  page?: number
  page_size?: number
}

export const cases = {
  list: (query: CaseQuery, signal?: AbortSignal) => json<Page<CaseSummary>>('/cases', { query: { ...query }, signal }),
  mine: (query: CaseQuery, signal?: AbortSignal) =>
    json<Page<CaseSummary>>('/cases/mine', { query: { ...query }, signal }),
  get: (id: string, signal?: AbortSignal) => json<CaseView>(`/cases/${part(id)}`, { signal }),
  decide: (id: string, decision: Decision, opinion: string) =>
    json<CaseView>(`/cases/${part(id)}/decide`, { method: 'POST', body: { decision, opinion } }),
  withdraw: (id: string) => json<CaseView>(`/cases/${part(id)}/withdraw`, { method: 'POST', body: {} }),
  resubmit: (id: string, note: string) =>
    json<CaseView>(`/cases/${part(id)}/resubmit`, { method: 'POST', body: { note } }),
  formUrl: (id: string, format: 'docx' | 'pdf') => url(`/cases/${part(id)}/form.${format}`),
}

/** The form of a conversation's dialogue, as far as it is filled. */
export const guideFormUrl = (session: string) => url(`/guides/${part(session)}/form.docx`)

export type FeedbackReason = 'wrong' | 'incomplete' | 'outdated' | 'unclear' | 'irrelevant' | 'unsafe' | 'other'

export const feedback = {
  give: (body: { session: string; turn: string; helpful: boolean; reason?: FeedbackReason; comment?: string }) =>
    send('/feedback', { method: 'POST', body }).then(() => undefined),
}
