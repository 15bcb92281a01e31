/** 2026年3月1日 from 2026-03-01. */
export function chineseDate(date: string | null): string {
  const match = date?.match(/^(\d{4})-(\d{2})-(\d{2})/)
  if (!match) return '—'
  return `${match[1]}年${Number(match[2])}月${Number(match[3])}日`
}

/** “自 … 起施行”, “… 至 …”: the dates in force as one phrase. */
export function inForce(from: string | null, until: string | null): string {
  if (from && until) return `${chineseDate(from)} 至 ${chineseDate(until)}`
  if (from) return `自 ${chineseDate(from)} 起施行`
  if (until) return `有效至 ${chineseDate(until)}`
  return '施行日期未写明'
}

const clock = new Intl.DateTimeFormat('zh-CN', { hour: '2-digit', minute: '2-digit', hour12: false })
const dayAndClock = new Intl.DateTimeFormat('zh-CN', {
  month: 'numeric',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
})
const full = new Intl.DateTimeFormat('zh-CN', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
})

/** Short, as in a list: the clock today, 昨天, else the date. */
export function shortTime(iso: string, now = new Date()): string {
  const time = new Date(iso)
  if (Number.isNaN(time.getTime())) return ''
  const days = Math.round((startOfDay(now) - startOfDay(time)) / 86_400_000)
  if (days === 0) return clock.format(time)
  if (days === 1) return `昨天 ${clock.format(time)}`
  return dayAndClock.format(time)
}

export function fullTime(iso: string | null): string {
  if (!iso) return '—'
  const time = new Date(iso)
  return Number.isNaN(time.getTime()) ? iso : full.format(time)
}

function startOfDay(time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime()
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} 字节`
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KB`
  if (n < 1024 ** 3) return `${(n / 1024 ** 2).toFixed(1)} MB`
  return `${(n / 1024 ** 3).toFixed(1)} GB`
}

export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} 毫秒` : `${(ms / 1000).toFixed(1)} 秒`
}

export const count = (n: number) => n.toLocaleString('zh-CN')

/** One CSV field; a leading = + - @ is disarmed, since the file is opened in a spreadsheet. */
export function csvField(value: string | number | null): string {
  let text = value === null ? '' : String(value)
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A title between title marks; marks that it already contains become the inner ones, as the standard has it. */
export const bookTitle = (title: string) => `《${title.replaceAll('《', '〈').replaceAll('》', '〉')}》`
