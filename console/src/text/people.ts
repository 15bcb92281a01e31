import type { Access, Department, LinkPurpose, Role, UserState } from '@/api/types'

const ROLE: Record<Role, string> = {
  citizen: '市民',
  business: '企业',
  clerk: '窗口人员',
  expert: '业务专家',
  leader: '领导',
  analyst: '分析员',
  duty_officer: '值班员',
  commander: '指挥员',
  field_worker: '现场人员',
  camera_operator: '视频巡查员',
  app_developer: '应用开发者',
  administrator: '管理员',
}

/** What each role is for, beside its box. */
export const ROLE_NOTES: Record<Role, string> = {
  clerk: '答复、审批、办文',
  expert: '评判和纠正回答',
  leader: '查看城市数据',
  analyst: '准备数据、指标、简报',
  duty_officer: '受理并处置事件',
  commander: '决定危险步骤',
  field_worker: '执行任务并回报',
  camera_operator: '查看视频',
  app_developer: '在平台上做应用',
  administrator: '管理本系统',
  citizen: '为自己咨询、申请',
  business: '代表企业办事',
}

const USER_STATE: Record<UserState, string> = { invited: '待设密码', active: '可用', disabled: '已停用' }

const PURPOSE: Record<LinkPurpose, string> = { setup: '首次设置', invitation: '设置密码', reset: '重设密码' }

const label = (table: Record<string, string>, value: string) => table[value] ?? value

export const roleLabel = (value: string) => label(ROLE, value)
export const userStateLabel = (value: string) => label(USER_STATE, value)
export const purposeLabel = (value: string) => label(PURPOSE, value)
export const ROLES = Object.keys(ROLE_NOTES) as Role[]
export const USER_STATES = Object.keys(USER_STATE) as UserState[]

/** Everybody who works for the city. */
const STAFF: readonly Role[] = ROLES.filter((r) => r !== 'citizen' && r !== 'business')

/** In the order of the table above, whatever the order of the server's list. */
export const rolesText = (roles: readonly string[]) =>
  [...ROLES.filter((r) => roles.includes(r)), ...roles.filter((r) => !(r in ROLE))].map(roleLabel).join('、')

/** “教育局 / 学前教育科”: a department with what is above it. */
export function departmentPath(all: readonly Department[], id: string): string {
  const names: string[] = []
  const seen = new Set<string>()
  for (let at: string | null | undefined = id; at && !seen.has(at); ) {
    seen.add(at)
    const found = all.find((d) => d.id === at)
    if (!found) break
    names.unshift(found.name)
    at = found.parent
  }
  return names.length > 0 ? names.join(' / ') : id
}

export interface Branch {
  department: Department
  depth: number
  /** How many departments are under it, at any depth. */
  below: number
}

/** The tree, flattened in the order in which it is shown. A parent that is not there makes a root. */
export function departmentTree(all: readonly Department[]): Branch[] {
  const known = new Set(all.map((d) => d.id))
  const children = new Map<string, Department[]>()
  for (const department of all) {
    const under = department.parent && known.has(department.parent) ? department.parent : ''
    children.set(under, [...(children.get(under) ?? []), department])
  }
  const order = new Intl.Collator('zh-CN')
  const branches: Branch[] = []
  function grow(under: string, depth: number): number {
    let grown = 0
    for (const department of (children.get(under) ?? []).sort((a, b) => order.compare(a.name, b.name))) {
      const branch = { department, depth, below: 0 }
      branches.push(branch)
      branch.below = grow(department.id, depth + 1)
      grown += 1 + branch.below
    }
    return grown
  }
  grow('', 0)
  return branches
}

/** A department itself and all under it: none of them can be what is above it. */
export function within(all: readonly Department[], id: string): Set<string> {
  const found = new Set([id])
  for (let before = 0; before !== found.size; ) {
    before = found.size
    for (const d of all) if (d.parent && found.has(d.parent)) found.add(d.id)
  }
  return found
}

/** Who may, in a phrase. */
export function accessText(access: Access, departments: readonly Department[] = []): string {
  switch (access.kind) {
    case 'public':
      return '所有人，无需登录'
    case 'signed_in':
      return '登录后'
    case 'verified':
      return '实名市民、企业与工作人员'
    case 'some': {
      const roles = access.roles ?? []
      const everyone = STAFF.every((r) => roles.includes(r))
      const others = everyone ? roles.filter((r) => !STAFF.includes(r)) : roles
      const named = [
        ...(everyone ? ['全体工作人员'] : []),
        ...(others.length > 0 ? [rolesText(others)] : []),
        ...(access.departments ?? []).map((id) => departmentPath(departments, id)),
      ]
      return named.length > 0 ? named.join('、') : '仅管理员'
    }
  }
}

/** Whether two rules say the same, whatever the order of their lists. */
export function sameAccess(a: Access, b: Access): boolean {
  const plain = (access: Access) =>
    access.kind === 'some'
      ? JSON.stringify([[...(access.roles ?? [])].sort(), [...(access.departments ?? [])].sort()])
      : access.kind
  return plain(a) === plain(b)
}
