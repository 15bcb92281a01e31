// Models: what is used, what could be, and the jobs that fetch them.
import { json, part, send } from './client'
import type { Job } from './jobs'
import type { ModelPart, ModelsView, Page } from './types'

const post = <T>(path: string, body: unknown) => json<T>(path, { method: 'POST', body })

/** The kind of the jobs that fetch models. */
export const PULL = 'models.pull'

export const models = {
  view: (signal?: AbortSignal) => json<ModelsView>('/models', { signal }),
  pull: (name: string) => post<{ job: string }>(`/models/${part(name)}/pull`, {}),
  pulls: () => json<Page<Job>>('/jobs', { query: { kind: PULL, page_size: 50 }, background: true }),
  /** Uses these models for a part, the best first; none of them means that the part goes without. */
  use: (of: ModelPart, [first = 'none', ...behind]: string[]) =>
    post<{ models: string[] }>(`/models/${part(first)}/use`, { part: of, behind }),
  /** What the configuration says counts again. */
  useConfigured: (of: ModelPart) => post<{ models: string[] }>('/models/default/use', { part: of }),
  remove: (name: string) => send(`/models/${part(name)}`, { method: 'DELETE' }).then(() => undefined),
}
