import { computed, ref, watch } from 'vue'
import { useToasts } from '@/stores/toasts'
import { toApiError } from '@/api/errors'
import { csvField } from '@/text/format'
import { saveFile } from './documentExport'
import { readStored, writeStored } from './stored'

export interface TableColumn<T> {
  key: string
  label: string
  /** Numbers and dates line up; words may wrap. */
  narrow?: boolean
  /** Always shown. */
  fixed?: boolean
  /** Shown only when chosen. */
  extra?: boolean
  value: (row: T) => string
}

/** Which columns are shown, kept for this browser. */
export function useColumns<T>(name: string, columns: TableColumn<T>[]) {
  const key = `citymind.columns.${name}`
  const first = columns.filter((c) => !c.extra).map((c) => c.key)
  const chosen = ref(readStored<string[]>(key, first))
  watch(chosen, (keys) => writeStored(key, keys))
  const shown = computed(() => columns.filter((c) => c.fixed || chosen.value.includes(c.key)))
  return { chosen, shown }
}

/** CSV that Excel opens as UTF-8 (the mark in front) with one header row. */
export function asCsv<T>(rows: T[], columns: TableColumn<T>[]): string {
  const lines = [columns.map((c) => c.label), ...rows.map((row) => columns.map((c) => c.value(row)))]
  return '\uFEFF' + lines.map((line) => line.map(csvField).join(',')).join('\r\n') + '\r\n'
}

/** The button that saves the whole list: what it says while it works, and what it does. */
export function useExport<T>(
  title: string,
  columns: TableColumn<T>[],
  all: (progress: (got: number, total: number) => void) => Promise<T[]>,
) {
  const toasts = useToasts()
  const exporting = ref('')

  async function save(): Promise<void> {
    exporting.value = '正在导出…'
    try {
      const rows = await all((got, total) => (exporting.value = `${got} / ${total}`))
      saveFile(`${title}-${new Date().toLocaleDateString('sv-SE')}.csv`, asCsv(rows, columns), 'text/csv')
      toasts.success(`已导出 ${rows.length} 行`)
    } catch (thrown) {
      toasts.failure(toApiError(thrown))
    }
    exporting.value = ''
  }
  return { exporting, save }
}
