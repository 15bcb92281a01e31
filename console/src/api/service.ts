// Service items: what one can apply for.
import { json, part } from './client'
import type { ImportedItems, ItemSummary, ItemView, Page } from './types'

export interface ItemFile {
  path: string
  content: string
}

export const service = {
  items: (query: { q?: string; area?: string; page?: number; page_size?: number }, signal?: AbortSignal) =>
    json<Page<ItemSummary>>('/service/items', { query, signal }),
  item: (id: string, signal?: AbortSignal) => json<ItemView>(`/service/items/${part(id)}`, { signal }),
  importItems: (files: ItemFile[], dryRun: boolean) =>
    json<ImportedItems>('/service/items', { method: 'POST', body: { files, dry_run: dryRun } }),
  removeItem: (id: string) =>
    json<{ id: string; source: string }>(`/service/items/${part(id)}`, { method: 'DELETE' }),
}
