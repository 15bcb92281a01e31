import type {
  ClauseFate,
  CorrectedField,
  DocumentFormat,
  DocumentKind,
  DocumentStatus,
  ImportRowState,
  ImportState,
  ModelMode,
  PointKind,
  RelationDirection,
  RelationKind,
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

const FORMAT: Record<DocumentFormat, string> = {
  md: 'Markdown',
  txt: '文本',
  html: '网页',
  docx: 'Word',
  pdf: 'PDF',
  xlsx: 'Excel',
  csv: 'CSV',
}

const FATE: Record<ClauseFate, string> = { same: '未变', moved: '移动', changed: '修改', added: '新增', removed: '删除' }

// What one document says of another, and the same from the other end.
const RELATION: Record<RelationDirection, Record<RelationKind, string>> = {
  says: { implements: '依据', amends: '修改', repeals: '废止', supersedes: '替代', cites: '引用' },
  said_of: {
    implements: '被以下文件实施',
    amends: '被以下文件修改',
    repeals: '被以下文件废止',
    supersedes: '被以下文件替代',
    cites: '被以下文件引用',
  },
}

const FIELD: Record<CorrectedField, string> = {
  title: '标题',
  kind: '类型',
  issuer: '发布机关',
  number: '文号',
  region: '地区',
  issued: '发布日期',
  effective_from: '施行日期',
  effective_until: '失效日期',
  topics: '主题',
  space: '知识空间',
}
const TOUCH: Record<string, string> = { ...FIELD, import: '导入', withdraw: '撤下', restore: '恢复' }

const IMPORT_ROW: Record<ImportRowState, string> = {
  waiting: '等待',
  imported: '新增',
  updated: '更新',
  unchanged: '未变',
  failed: '失败',
  picture: '插图',
  unused: '未用插图',
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
export const formatLabel = (value: string) => label(FORMAT, value)
export const fateLabel = (value: string) => label(FATE, value)
export const relationLabel = (direction: RelationDirection, value: string) => label(RELATION[direction], value)
export const fieldLabel = (value: string) => label(FIELD, value)
export const touchLabel = (value: string) => label(TOUCH, value)
export const importRowLabel = (value: string) => label(IMPORT_ROW, value)
export const importLabel = (value: string) => label(IMPORT, value)
export const modelLabel = (value: string) => label(MODEL, value)

export const DOCUMENT_KINDS = Object.keys(DOCUMENT_KIND) as DocumentKind[]
/** The kinds with a list, a reader's view and a form of their own. */
export const KIND_TABS = ['policy', 'guide', 'walkthrough', 'faq', 'primer'] as const satisfies DocumentKind[]
export const DOCUMENT_STATUSES = Object.keys(DOCUMENT_STATUS) as DocumentStatus[]
export const FIELDS = Object.keys(FIELD) as CorrectedField[]
export const RELATION_KINDS = Object.keys(RELATION.says) as RelationKind[]
export const IMPORT_ROW_STATES = Object.keys(IMPORT_ROW) as ImportRowState[]
