import { api } from '@/api/client'
import type { DocumentSummary } from '@/api/types'
import { csvField } from '@/text/format'
import type { Column } from './documentColumns'
import { type DocumentFilters, apiQuery } from './documentFilters'

const PAGE = 200

/** Every document that the filters let through, page by page. */
export async function allDocuments(
  filters: DocumentFilters,
  progress: (got: number, total: number) => void,
): Promise<DocumentSummary[]> {
  const documents: DocumentSummary[] = []
  for (let page = 1; ; page++) {
    const result = await api.documents(apiQuery({ ...filters, page, pageSize: PAGE }))
    documents.push(...result.items)
    progress(documents.length, result.total)
    if (result.items.length === 0 || documents.length >= result.total) return documents
  }
}

/** CSV that Excel opens as UTF-8 (the mark in front) with one header row. */
export function documentsAsCsv(documents: DocumentSummary[], columns: Column[]): string {
  const rows = [
    columns.map((column) => column.label),
    ...documents.map((document) => columns.map((column) => column.value(document))),
  ]
  return '\uFEFF' + rows.map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n'
}

export function saveFile(name: string, text: string, type: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  // Safari starts the download only after this task.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
