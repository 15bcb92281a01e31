import type { DeliveryState, Job, JobState, When } from '@/api/jobs'
import { duration } from './format'

const STATE: Record<JobState, string> = {
  queued: '排队',
  running: '执行中',
  done: '完成',
  failed: '失败',
  cancelled: '已取消',
}
const DELIVERY: Record<DeliveryState, string> = { running: '处理中', failing: '待重试', held: '等待', parked: '已搁置' }
const DAYS = ['一', '二', '三', '四', '五', '六', '日']

const label = (table: Record<string, string>, value: string) => table[value] ?? value

export const JOB_STATES = Object.keys(STATE) as JobState[]
export const DELIVERY_STATES = Object.keys(DELIVERY) as DeliveryState[]
export const WEEKDAYS = DAYS.map((name, i) => ({ value: i + 1, label: `星期${name}` }))
export const deliveryLabel = (value: string) => label(DELIVERY, value)
export const jobStateLabel = (value: string) => label(STATE, value)

/** The state with what else there is to say of it. */
export function jobStateText(job: Pick<Job, 'state' | 'cancelling' | 'attempts' | 'run_at'>, now = new Date()): string {
  if (job.state === 'running' && job.cancelling) return '正在取消'
  if (job.state === 'queued' && job.attempts > 0) return '待重试'
  if (job.state === 'queued' && new Date(job.run_at) > now) return '未到时间'
  return jobStateLabel(job.state)
}

/** How far it is, from 0 to 1; none if that is not known. */
export function jobShare(job: Pick<Job, 'progress' | 'state'>): number | null {
  if (job.state === 'done') return 1
  const { done, total } = job.progress
  return total > 0 ? Math.min(1, done / total) : null
}

export function jobTime(job: Pick<Job, 'started_at' | 'finished_at'>, now = new Date()): string {
  if (!job.started_at) return ''
  const end = job.finished_at ? new Date(job.finished_at) : now
  const ms = Math.max(0, end.getTime() - new Date(job.started_at).getTime())
  if (ms < 120_000) return duration(ms)
  const minutes = Math.round(ms / 60_000)
  return minutes < 120 ? `${minutes} 分钟` : `${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分钟`
}

/** “每天 03:30”. */
export function whenText(when: When): string {
  if ('every_minutes' in when) {
    const minutes = when.every_minutes
    if (minutes % 1440 === 0) return minutes === 1440 ? '每天一次' : `每 ${minutes / 1440} 天`
    if (minutes % 60 === 0) return minutes === 60 ? '每小时' : `每 ${minutes / 60} 小时`
    return `每 ${minutes} 分钟`
  }
  if ('daily' in when) return `每天 ${when.daily.at}`
  return `每周${DAYS[when.weekly.weekday - 1] ?? when.weekly.weekday} ${when.weekly.at}`
}
