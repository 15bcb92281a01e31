import type {
  DocumentKind,
  DocumentStatus,
  ImportRowState,
  ImportState,
  ModelMode,
  PointKind,
} from '@/api/types'

const DOCUMENT_STATUS: Record<DocumentStatus, string> = {
  current: '现行有效',
  upcoming: '尚未施行',
  amended: '已修订',
  expired: '已失效',
  repealed: '已废止',
  withdrawn: '已撤下',
}

const DOCUMENT_KIND: Record<DocumentKind, string> = {
  policy: '政策',
  guide: '办事指南',
  walkthrough: '操作详解',
  faq: '常见问答',
  primer: '通识知识',
  interpretation: '政策解读',
  law: '法律法规',
  other: '其他',
}

const IMPORT_ROW: Record<ImportRowState, string> = {
  waiting: '等待',
  imported: '新增',
  updated: '更新',
  unchanged: '未变',
  failed: '失败',
}

const IMPORT: Record<ImportState, string> = { running: '导入中', done: '已完成', cancelled: '已取消', halted: '因存储故障暂停' }

const MODEL: Record<ModelMode, string> = { none: '无模型', local: '本地模型', remote: '远程模型' }

export const POINT_KINDS: { kind: PointKind; label: string }[] = [
  { kind: 'condition', label: '条件' },
  { kind: 'amount', label: '金额' },
  { kind: 'material', label: '材料' },
  { kind: 'channel', label: '渠道' },
  { kind: 'deadline', label: '时限' },
]

// A newer server may know a value that this console does not: show the value rather than nothing.
const label = (table: Record<string, string>, value: string) => table[value] ?? value

export const documentStatusLabel = (value: string) => label(DOCUMENT_STATUS, value)
export const documentKindLabel = (value: string) => label(DOCUMENT_KIND, value)
export const importRowLabel = (value: string) => label(IMPORT_ROW, value)
export const importLabel = (value: string) => label(IMPORT, value)
export const modelLabel = (value: string) => label(MODEL, value)

export const DOCUMENT_KINDS = Object.keys(DOCUMENT_KIND) as DocumentKind[]
export const DOCUMENT_STATUSES = Object.keys(DOCUMENT_STATUS) as DocumentStatus[]
export const IMPORT_ROW_STATES = Object.keys(IMPORT_ROW) as ImportRowState[]
