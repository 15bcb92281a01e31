import { type ComputedRef, computed } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import type { IconName } from '@/components/icons'
import type { RailName } from '@/router'
import { useSession } from '@/stores/session'

export interface RailItem {
  name: RailName
  label: string
  icon: IconName
  to: RouteLocationRaw
  /** Shown only to those who may use one of these capabilities. */
  needs?: string[]
}

export interface Tab {
  label: string
  to: string
  needs: string
}

/** The parts of 身份. */
export const IDENTITY: Tab[] = [
  { label: '账号', to: '/identity/users', needs: 'users.list' },
  { label: '部门', to: '/identity/departments', needs: 'departments.create' },
  { label: '密钥', to: '/identity/keys', needs: 'keys.list' },
  { label: '权限', to: '/identity/permissions', needs: 'permissions.list' },
]

/** The parts of 作业. */
export const JOBS: Tab[] = [
  { label: '作业', to: '/jobs', needs: 'jobs.list' },
  { label: '计划', to: '/jobs/schedules', needs: 'jobs.schedules' },
  { label: '事件', to: '/jobs/events', needs: 'events.deliveries' },
]

/** The parts of 办件. */
export const CASES: Tab[] = [
  { label: '办件台', to: '/cases', needs: 'cases.list' },
  { label: '我的办件', to: '/cases/mine', needs: 'cases.mine' },
]

/** The rail, by the networks of the platform. Only what exists is listed. */
const RAIL: { group: string; items: RailItem[] }[] = [
  {
    group: '一网通办',
    items: [
      { name: 'ask', label: '问答', icon: 'ask', to: '/' },
      { name: 'services', label: '办事', icon: 'form', to: '/services' },
      { name: 'cases', label: '办件', icon: 'stamp', to: '/cases/mine', needs: ['cases.mine', 'cases.list'] },
      { name: 'knowledge', label: '知识', icon: 'book', to: '/knowledge' },
    ],
  },
  {
    group: '底座',
    items: [
      { name: 'models', label: '模型', icon: 'chip', to: '/models', needs: ['models.status'] },
      { name: 'import', label: '导入', icon: 'inbox', to: '/knowledge/import', needs: ['knowledge.upload'] },
      { name: 'search', label: '检索测试', icon: 'target', to: '/knowledge/search' },
      { name: 'jobs', label: '作业', icon: 'gear', to: '/jobs', needs: [...JOBS.map((tab) => tab.needs)] },
      { name: 'identity', label: '身份', icon: 'people', to: '/identity', needs: IDENTITY.map((tab) => tab.needs) },
      { name: 'audit', label: '审计', icon: 'shield', to: '/audit', needs: ['audit.search'] },
    ],
  },
]

export function useRail(): ComputedRef<typeof RAIL> {
  const session = useSession()
  // Who decides cases comes to the desk, everybody else to their own.
  const atDesk = (item: RailItem): RailItem =>
    item.name === 'cases' && session.may('cases.list') ? { ...item, to: '/cases' } : item
  return computed(() =>
    RAIL.map(({ group, items }) => ({ group, items: items.filter((item) => !item.needs || item.needs.some(session.may)).map(atDesk) })),
  )
}
