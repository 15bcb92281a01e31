import type { Access, Department } from '@/api/types'
import { accessText, departmentPath, rolesText } from './people'

export interface Change {
  name: string
  before: string | null
  after: string | null
}

const NAMES: Record<string, string> = {
  '': '规则',
  login: '登录名',
  name: '名称',
  roles: '角色',
  departments: '部门',
  disabled: '停用',
  scope: '范围',
  space: '知识空间',
  handler: '处理程序',
  event: '事件',
  kind: '类型',
}

const VIA: Record<string, string> = { sign_in: '登录', key: '密钥', system: '系统', anonymous: '匿名' }
const OUTCOME: Record<string, string> = {
  ok: '成功',
  sign_in_required: '没有登录',
  sign_in_failed: '登录失败',
  forbidden: '没有权限',
  locked_out: '已锁定',
  too_many_requests: '过于频繁',
  invalid_input: '输入有误',
  malformed_body: '内容无法识别',
  not_found: '没有找到',
  conflict: '冲突',
  cancelled: '已取消',
  storage: '存储出错',
  storage_full: '存储已满',
  unavailable: '暂不可用',
  internal: '内部错误',
}

export const viaLabel = (via: string) => VIA[via] ?? via
export const outcomeLabel = (outcome: string) => OUTCOME[outcome] ?? outcome
export const OUTCOMES = Object.keys(OUTCOME).filter((o) => o !== 'ok')

/** What an entry says of values that changed: `roles_before` with `roles_after`, `before` with `after`. */
export function changesOf(detail: Record<string, string>): { changes: Change[]; rest: [string, string][] } {
  const changes = new Map<string, Change>()
  const rest: [string, string][] = []
  for (const [key, value] of Object.entries(detail)) {
    const match = key.match(/^(?:(.*)_)?(before|after)$/)
    if (!match) {
      rest.push([key, value])
      continue
    }
    const name = match[1] ?? ''
    const change = changes.get(name) ?? { name, before: null, after: null }
    change[match[2] as 'before' | 'after'] = value
    changes.set(name, change)
  }
  return { changes: [...changes.values()], rest }
}

export const detailName = (name: string) => NAMES[name] ?? name

/** A value of the detail in words: rules, roles and departments are told like everywhere else. */
export function detailText(name: string, value: string | null, departments: readonly Department[] = []): string {
  if (value === null) return '—'
  if (name === '') {
    if (value === 'null') return '默认'
    const access = asAccess(value)
    if (access) return accessText(access, departments)
  }
  const words = value.split(' ').filter(Boolean)
  if (name === 'roles') return rolesText(words) || '没有'
  if (name === 'departments') return words.map((id) => departmentPath(departments, id)).join('、') || '没有'
  if (name === 'disabled') return value === 'true' ? '是' : '否'
  return value || '（空）'
}

function asAccess(value: string): Access | null {
  try {
    const parsed = JSON.parse(value) as unknown
    const kind = typeof parsed === 'object' && parsed !== null ? (parsed as { kind?: unknown }).kind : undefined
    return ['public', 'signed_in', 'verified', 'some'].includes(String(kind)) ? (parsed as Access) : null
  } catch {
    return null
  }
}
