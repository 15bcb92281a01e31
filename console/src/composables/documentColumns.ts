import type { DocumentSummary } from '@/api/types'
import type { DocumentSort } from '@/composables/documentFilters'
import { fullTime } from '@/text/format'
import { documentKindLabel, documentStatusLabel, formatLabel } from '@/text/labels'

export interface Column {
  key: string
  label: string
  sort?: DocumentSort
  /** Numbers and dates line up; words may wrap. */
  narrow?: boolean
  fixed?: boolean
  value: (document: DocumentSummary) => string
}

export const COLUMNS: Column[] = [
  { key: 'title', label: '标题', sort: 'title', fixed: true, value: (d) => d.title },
  { key: 'status', label: '状态', narrow: true, value: (d) => documentStatusLabel(d.status) },
  { key: 'kind', label: '类型', narrow: true, value: (d) => documentKindLabel(d.kind) },
  { key: 'number', label: '文号', value: (d) => d.number ?? '' },
  { key: 'issuer', label: '发布机关', value: (d) => d.issuer ?? '' },
  { key: 'region', label: '地区', narrow: true, value: (d) => d.region ?? '' },
  { key: 'space', label: '知识空间', narrow: true, value: (d) => d.space },
  { key: 'issued', label: '发布日期', sort: 'issued', narrow: true, value: (d) => d.issued ?? '' },
  { key: 'effective_from', label: '施行日期', sort: 'effective_from', narrow: true, value: (d) => d.effective_from ?? '' },
  { key: 'effective_until', label: '失效日期', narrow: true, value: (d) => d.effective_until ?? '' },
  { key: 'topics', label: '主题', value: (d) => d.topics.join('、') },
  { key: 'version', label: '版本', narrow: true, value: (d) => `第 ${d.version} 版` },
  { key: 'clauses', label: '条款', narrow: true, value: (d) => String(d.clauses) },
  { key: 'characters', label: '字数', narrow: true, value: (d) => String(d.characters) },
  { key: 'format', label: '格式', narrow: true, value: (d) => formatLabel(d.format) },
  { key: 'warnings', label: '提示', narrow: true, value: (d) => (d.warnings ? String(d.warnings) : '') },
  { key: 'imported_at', label: '导入时间', sort: 'imported_at', narrow: true, value: (d) => fullTime(d.imported_at) },
]

const SHOWN = ['title', 'status', 'kind', 'number', 'issuer', 'effective_from', 'clauses', 'imported_at']

// What one asks for first differs by kind, and so does what the columns are called.
const BY_KIND: Record<string, { shown: string[]; labels: Record<string, string> }> = {
  policy: {
    shown: ['title', 'status', 'number', 'issuer', 'issued', 'effective_from', 'effective_until', 'version'],
    labels: {},
  },
  guide: {
    shown: ['title', 'status', 'issuer', 'topics', 'issued', 'clauses', 'imported_at'],
    labels: { title: '事项', issuer: '办理机构', clauses: '条目' },
  },
  walkthrough: {
    shown: ['title', 'status', 'issuer', 'issued', 'format', 'imported_at'],
    labels: { title: '操作', issuer: '发布单位', issued: '更新日期' },
  },
  faq: {
    shown: ['title', 'issuer', 'clauses', 'topics', 'issued', 'imported_at'],
    labels: { title: '问答集', issuer: '发布单位', clauses: '条目' },
  },
  primer: {
    shown: ['title', 'issuer', 'topics', 'characters', 'issued', 'imported_at'],
    labels: { title: '主题文章', issuer: '发布单位', topics: '主题' },
  },
}

/** The columns that the list of a kind can show, named as one speaks of that kind. */
export function columnsOf(kind: string): Column[] {
  const own = BY_KIND[kind]
  if (!own) return COLUMNS
  return COLUMNS.filter((column) => column.key !== 'kind').map((column) => ({
    ...column,
    label: own.labels[column.key] ?? column.label,
  }))
}

export const shownAtFirst = (kind: string): string[] => BY_KIND[kind]?.shown ?? SHOWN
