import { type ComputedRef, type Ref, computed, ref, watch } from 'vue'
import type { ClauseText, DocumentDetail } from '@/api/types'
import { shownLabel } from '@/text/blocks'
import { type Range, findText, findTokens } from '@/text/quote'

export interface ReaderClause {
  clause: ClauseText
  /** Headings that begin with this clause, outermost first. */
  headings: { title: string; level: number }[]
  /** The label when the text does not begin with it already. */
  label: string
}

/** Headings are shown where the path changes, unless the clause's own words begin with them. */
export function readerClauses(body: ClauseText[]): ReaderClause[] {
  let before: string[] = []
  return body.map((clause) => {
    const text = clause.text.trimStart()
    const { path } = clause
    let same = 0
    while (same < path.length && same < before.length && path[same] === before[same]) same++
    const headings = path
      .slice(same)
      .map((title, i) => ({ title, level: same + i + 1 }))
      .filter(({ title }) => !text.startsWith(title))
    before = path
    return { clause, headings, label: path.includes(clause.label) ? '' : shownLabel(clause) }
  })
}

export interface Match {
  clause: number
  range: Range
}

/** What is lit in the reader: the quotation one came for, and what is searched for within the document. */
export function useReaderMarks(
  document: Ref<DocumentDetail | null>,
  clause: ComputedRef<number | null>,
  quote: ComputedRef<string>,
) {
  const query = ref('')
  const active = ref(0)

  const matches = computed<Match[]>(() => {
    const wanted = query.value.trim()
    if (wanted === '' || !document.value) return []
    return document.value.body.flatMap((c) =>
      findTokens(c.text, [wanted]).map((range) => ({ clause: c.clause, range })),
    )
  })
  watch(query, () => (active.value = 0))

  const quoted = computed<Match | null>(() => {
    const body = document.value?.body
    if (!body || quote.value === '') return null
    const named = body.filter((c) => c.clause === clause.value)
    // The clause may have moved since; its words are looked for everywhere then.
    for (const candidate of [...named, ...body]) {
      const range = findText(candidate.text, quote.value)
      if (range) return { clause: candidate.clause, range }
    }
    return null
  })

  const lit = computed(() => {
    const byClause = new Map<number, Range[]>()
    const all = query.value.trim() !== '' ? matches.value : quoted.value ? [quoted.value] : []
    for (const match of all) byClause.set(match.clause, [...(byClause.get(match.clause) ?? []), match.range])
    return byClause
  })

  function step(by: number): Match | null {
    if (matches.value.length === 0) return null
    active.value = (active.value + by + matches.value.length) % matches.value.length
    return matches.value[active.value] ?? null
  }

  return { query, active, matches, quoted, lit, step }
}
