import { type ComputedRef, computed } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import type { IconName } from '@/components/icons'
import type { RailName } from '@/router'
import { useStatus } from '@/stores/status'

export interface RailItem {
  name: RailName
  label: string
  icon: IconName
  to: RouteLocationRaw
  /** Shown only to those who may manage knowledge. */
  operator?: boolean
}

/** The rail, by the networks of the platform. Only what exists is listed. */
const RAIL: { group: string; items: RailItem[] }[] = [
  {
    group: '一网通办',
    items: [
      { name: 'ask', label: '问答', icon: 'ask', to: '/' },
      { name: 'knowledge', label: '知识', icon: 'book', to: '/knowledge' },
    ],
  },
  {
    group: '底座',
    items: [
      { name: 'import', label: '导入', icon: 'inbox', to: '/knowledge/import', operator: true },
      { name: 'search', label: '检索测试', icon: 'target', to: '/knowledge/search' },
    ],
  },
]

export function useRail(): ComputedRef<typeof RAIL> {
  const status = useStatus()
  return computed(() =>
    RAIL.map(({ group, items }) => ({ group, items: items.filter((item) => !item.operator || status.operator) })),
  )
}
