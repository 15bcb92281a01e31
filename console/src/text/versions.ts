import type { VersionSummary, Versions } from '@/api/types'

/** What stands in force on the day for which the statuses were told: a version of the document, or another wording of it. */
export function inForceOn(known: Versions): VersionSummary | null {
  return [...known.versions, ...known.wordings].find((v) => v.status === 'current' && !v.replaced) ?? null
}

/** The version with which one compares: the one before it, or where it is the first, the next. */
export function neighbour(versions: VersionSummary[], id: string): VersionSummary | null {
  const at = versions.findIndex((v) => v.id === id)
  return at < 0 ? null : (versions[at + 1] ?? versions[at - 1] ?? null)
}

/** Two versions in the order of time, the earlier one first. */
export function inOrder(a: VersionSummary, b: VersionSummary): [VersionSummary, VersionSummary] {
  const earlier = a.begins !== null && b.begins !== null && a.begins !== b.begins ? a.begins < b.begins : a.version <= b.version
  return earlier ? [a, b] : [b, a]
}

/** A day as the address writes it, or nothing. */
export function dayFrom(value: unknown): string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return ''
  const day = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value) ? value : ''
}

/** Whether the document was entered by form: the server files such ones under a path of their own. */
export const isComposed = (known: Versions | null): boolean => known?.versions[0]?.path.startsWith('录入/') ?? false
