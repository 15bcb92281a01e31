import type { Audience, ItemChannel } from '@/api/types'

const AUDIENCE: Record<string, string> = { person: '个人', business: '企业' }
const CHANNEL: Record<ItemChannel['kind'], string> = {
  online: '网上',
  window: '窗口',
  phone: '电话',
  self_service: '自助机',
  mail: '邮寄',
}

export const audienceLabel = (value: Audience): string => AUDIENCE[value] ?? value
export const channelLabel = (value: ItemChannel['kind']): string => CHANNEL[value] ?? value

/** Files that describe items; the rest of a dropped folder is left out. */
export const isItemFile = (path: string): boolean => /\.ya?ml$/i.test(path)

export interface ItemFinding {
  path: string
  line: number
  column: number
  message: string
}

/** Findings by file, in the order of the files, each file's from top to bottom. */
export function byFile(findings: ItemFinding[]): { path: string; findings: ItemFinding[] }[] {
  const found = new Map<string, ItemFinding[]>()
  for (const finding of findings) found.set(finding.path, [...(found.get(finding.path) ?? []), finding])
  return [...found].map(([path, list]) => ({
    path,
    findings: list.sort((a, b) => a.line - b.line || a.column - b.column),
  }))
}
