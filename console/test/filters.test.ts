import { describe, expect, it } from 'vitest'
import {
  NO_FILTERS,
  apiQuery,
  changed,
  filtersFromQuery,
  isFiltered,
  queryFromFilters,
} from '@/composables/documentFilters'
import { documentsAsCsv } from '@/composables/documentExport'
import type { DocumentSummary } from '@/api/types'
import { csvField, inForce, shortTime } from '@/text/format'

describe('filters and address', () => {
  it('come back the same from the address', () => {
    const filters = { ...NO_FILTERS, q: '公积金 & 租房', status: 'current', sort: 'title' as const, order: 'asc' as const, page: 3, pageSize: 50 }
    const query = queryFromFilters(filters)
    expect(filtersFromQuery(JSON.parse(JSON.stringify(query)))).toEqual(filters)
  })

  it('leave the address empty when nothing is filtered', () => {
    expect(queryFromFilters(NO_FILTERS)).toEqual({})
    expect(filtersFromQuery({})).toEqual(NO_FILTERS)
    expect(isFiltered(NO_FILTERS)).toBe(false)
  })

  it('fall back to the default for senseless values', () => {
    expect(filtersFromQuery({ page: '-3', size: '9999', sort: 'drop table', order: 'sideways' })).toEqual(NO_FILTERS)
    expect(filtersFromQuery({ page: 'x', q: ['甲', '乙'], region: null })).toEqual({ ...NO_FILTERS, q: '甲' })
  })

  it('lead to the first page on any change but that of the page', () => {
    expect(changed({ ...NO_FILTERS, page: 4 }, { q: '甲' }).page).toBe(1)
    expect(changed({ ...NO_FILTERS, page: 4 }, { page: 5 }).page).toBe(5)
  })

  it('are sent under the names of the API', () => {
    expect(apiQuery({ ...NO_FILTERS, page: 2 })).toMatchObject({ page: 2, page_size: 20, sort: 'imported_at' })
  })
})

describe('export and formats', () => {
  it('quotes CSV fields and disarms formulas', () => {
    expect(csvField('甲,"乙"')).toBe('"甲,""乙"""')
    expect(csvField('=HYPERLINK("x")')).toBe('"\'=HYPERLINK(""x"")"')
    expect(csvField(null)).toBe('')
  })

  it('writes one row per document with a header that Excel reads as UTF-8', () => {
    const csv = documentsAsCsv([{ title: '办法' } as DocumentSummary], [{ key: 'title', label: '标题', value: (d) => d.title }])
    expect(csv).toBe('\uFEFF标题\r\n办法\r\n')
  })

  it('says the dates in force as a phrase', () => {
    expect(inForce('2025-07-01', null)).toBe('自 2025年7月1日 起施行')
    expect(inForce(null, null)).toBe('施行日期未写明')
  })

  it('shortens times of today and yesterday', () => {
    const now = new Date(2026, 10, 24, 12, 0)
    expect(shortTime(new Date(2026, 10, 24, 9, 5).toISOString(), now)).toBe('09:05')
    expect(shortTime(new Date(2026, 10, 23, 9, 5).toISOString(), now)).toBe('昨天 09:05')
    expect(shortTime('无', now)).toBe('')
  })
})
