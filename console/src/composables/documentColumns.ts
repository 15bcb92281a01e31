import type { DocumentSummary } from '@/api/types'
import type { DocumentSort } from '@/composables/documentFilters'
import { fullTime } from '@/text/format'
import { documentKindLabel, documentStatusLabel } from '@/text/labels'

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
  { key: 'clauses', label: '条款', narrow: true, value: (d) => String(d.clauses) },
  { key: 'characters', label: '字数', narrow: true, value: (d) => String(d.characters) },
  { key: 'format', label: '格式', narrow: true, value: (d) => d.format },
  { key: 'warnings', label: '提示', narrow: true, value: (d) => (d.warnings ? String(d.warnings) : '') },
  { key: 'imported_at', label: '导入时间', sort: 'imported_at', narrow: true, value: (d) => fullTime(d.imported_at) },
]

export const SHOWN_AT_FIRST = ['title', 'status', 'kind', 'number', 'issuer', 'effective_from', 'clauses', 'imported_at']
