// Jobs and events.
import { type Query, json, part } from './client'
import type { components } from './schema'
import type { Page } from './types'

type Schemas = components['schemas']

export type JobState = Schemas['JobState']
export type Job = Schemas['Job']
export type LogLine = Schemas['JobLogLine']
export type JobKind = Schemas['JobKind']
export type When = Schemas['When']
export type Schedule = Schemas['JobSchedule']
export type DeliveryState = Schemas['State']
export type Delivery = Schemas['OpenDelivery']
export type Consumer = Schemas['Consumer']

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
