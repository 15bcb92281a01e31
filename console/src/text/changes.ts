import type { Changes, ClauseFate } from '@/api/types'
import { type Range, unitOffset } from './quote'

const WORDS: [keyof Changes, string][] = [
  ['added', '新增'],
  ['changed', '修改'],
  ['removed', '删除'],
  ['moved', '移动'],
]

/** “新增 1 条，修改 2 条”: what differs from the version before, in a line. */
export function changesText(changes: Changes): string {
  const parts = WORDS.filter(([key]) => changes[key] > 0).map(([key, word]) => `${word} ${changes[key]} 条`)
  return parts.length ? parts.join('，') : '条款未变'
}

/** The server's spans, in code points, as ranges of the JavaScript string. */
export function spanRanges(text: string, spans: [number, number][]): Range[] {
  return spans
    .map(([from, to]) => ({ start: unitOffset(text, from), end: unitOffset(text, to) }))
    .filter((range) => range.end > range.start)
}

export interface Run<T> {
  /** Clauses that are the same, folded away, or one that differs. */
  folded: boolean
  items: { item: T; at: number }[]
}

/** Runs of unchanged clauses are folded into one line each; each one that differs stands for itself. */
export function runs<T extends { fate: ClauseFate }>(clauses: T[]): Run<T>[] {
  const result: Run<T>[] = []
  clauses.forEach((item, at) => {
    const folded = item.fate === 'same'
    const last = result.at(-1)
    if (folded && last?.folded) last.items.push({ item, at })
    else result.push({ folded, items: [{ item, at }] })
  })
  return result
}
