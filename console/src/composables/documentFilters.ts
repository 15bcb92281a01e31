import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { DocumentQuery } from '@/api/types'
import { DOCUMENT_KINDS, DOCUMENT_STATUSES } from '@/text/labels'

// By what the list can be sorted: what the columns offer.
const SORTS = ['imported_at', 'title', 'issued', 'effective_from'] as const
export type DocumentSort = (typeof SORTS)[number]

export interface DocumentFilters {
  q: string
  space: string
  region: string
  status: string
  kind: string
  sort: DocumentSort
  order: 'asc' | 'desc'
  page: number
  pageSize: number
}

export const PAGE_SIZES = [20, 50, 100, 200]

export const NO_FILTERS: DocumentFilters = {
  q: '',
  space: '',
  region: '',
  status: '',
  kind: '',
  sort: 'imported_at',
  order: 'desc',
  page: 1,
  pageSize: 20,
}

/** Reads the filters from an address; what is missing or senseless becomes the default. */
export function filtersFromQuery(query: LocationQuery): DocumentFilters {
  const sort = text(query['sort']) as DocumentSort
  const size = Number(text(query['size']))
  const page = Number(text(query['page']))
  return {
    q: text(query['q']),
    space: text(query['space']),
    region: text(query['region']),
    status: text(query['status']),
    kind: text(query['kind']),
    sort: SORTS.includes(sort) ? sort : NO_FILTERS.sort,
    order: text(query['order']) === 'asc' ? 'asc' : 'desc',
    page: Number.isInteger(page) && page > 0 ? page : 1,
    pageSize: PAGE_SIZES.includes(size) ? size : NO_FILTERS.pageSize,
  }
}

/** Writes only what differs from the default, so that addresses stay short enough to pass on. */
export function queryFromFilters(filters: DocumentFilters): LocationQueryRaw {
  const query: LocationQueryRaw = {}
  for (const key of ['q', 'space', 'region', 'status', 'kind', 'sort', 'order'] as const) {
    if (filters[key] !== NO_FILTERS[key]) query[key] = filters[key]
  }
  if (filters.page !== 1) query['page'] = String(filters.page)
  if (filters.pageSize !== NO_FILTERS.pageSize) query['size'] = String(filters.pageSize)
  return query
}

/** A change of anything but the page leads back to the first page. */
export function changed(filters: DocumentFilters, change: Partial<DocumentFilters>): DocumentFilters {
  return { ...filters, page: 1, ...change }
}

export function isFiltered(filters: DocumentFilters): boolean {
  return Boolean(filters.q || filters.space || filters.region || filters.status || filters.kind)
}

export function apiQuery(filters: DocumentFilters): DocumentQuery {
  const { pageSize, kind, status, ...rest } = filters
  return {
    ...rest,
    kind: DOCUMENT_KINDS.find((k) => k === kind),
    status: DOCUMENT_STATUSES.find((s) => s === status),
    page_size: pageSize,
  }
}

function text(value: LocationQuery[string] | undefined): string {
  const first = Array.isArray(value) ? value[0] : value
  return first ?? ''
}
