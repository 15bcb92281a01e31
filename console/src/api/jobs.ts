// Jobs and events. Their types are written by hand until the document of the server describes them; then they become
// aliases of the generated ones, like those in types.ts.
import { type Query, json, part } from './client'
import type { Page } from './types'

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export interface Job {
  id: string
  kind: string
  title: string
  input: unknown
  priority: number
  state: JobState
  cancelling: boolean
  attempts: number
  max_attempts: number
  run_at: string
  progress: { done: number; total: number; message: string }
  result?: unknown
  error?: string
  artifacts: { name: string; media: string; size: number; address: string }[]
  created_at: string
  started_at?: string
  finished_at?: string
  created_by?: string
  schedule?: string
}

export interface LogLine {
  job: string
  seq: number
  at: string
  line: string
}

export interface JobKind {
  name: string
  title: string
  startable: boolean
  time_limit: number
  max_attempts: number
  concurrency: number | null
}

export type When = { every_minutes: number } | { daily: { at: string } } | { weekly: { weekday: number; at: string } }

export interface Schedule {
  id: string
  kind: string
  input: unknown
  title: string
  when: When
  enabled: boolean
  next_at: string | null
  last_job: string | null
}

export type DeliveryState = 'running' | 'failing' | 'held' | 'parked'

export interface Delivery {
  id: string
  handler: string
  state: DeliveryState
  attempts: number
  due_at?: string
  error?: string
  since: string
  event: { id: string; kind: string; subject: string; at: string; data: unknown }
}

export interface Consumer {
  name: string
  kinds: string[]
  lag: number | null
  running: number
  failing: number
  held: number
  parked: number
  error?: string
}

const post = <T>(path: string, body?: unknown) => json<T>(path, { method: 'POST', body })

export const jobs = {
  list: (query: Query, signal?: AbortSignal) => json<Page<Job>>('/jobs', { query, signal }),
  running: () => json<Page<Job>>('/jobs', { query: { state: 'running', page_size: 5 }, background: true }),
  get: (id: string, page: number, pageSize: number, signal?: AbortSignal) =>
    json<{ job: Job; log: Page<LogLine> }>(`/jobs/${part(id)}`, { query: { page, page_size: pageSize }, signal }),
  cancel: (id: string) => post<Job>(`/jobs/${part(id)}/cancel`),
  retry: (id: string) => post<Job>(`/jobs/${part(id)}/retry`),
  start: (kind: string, input: unknown) => post<Job>('/jobs', { kind, input }),
  kinds: () => json<{ items: JobKind[] }>('/jobs/kinds').then((found) => found.items),
  schedules: () => json<{ items: Schedule[] }>('/jobs/schedules').then((found) => found.items),
  changeSchedule: (id: string, change: { enabled?: boolean; when?: When }) =>
    post<Schedule>(`/jobs/schedules/${part(id)}`, change),
}

export const events = {
  deliveries: (query: Query, signal?: AbortSignal) => json<Page<Delivery>>('/events/deliveries', { query, signal }),
  retry: (id: string) => post<Delivery>(`/events/deliveries/${part(id)}/retry`),
  discard: (id: string) => post<Delivery>(`/events/deliveries/${part(id)}/discard`),
  consumers: () => json<{ items: Consumer[] }>('/events/consumers').then((found) => found.items),
}
