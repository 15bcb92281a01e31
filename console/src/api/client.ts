import { ApiError, isAbort, toApiError } from './errors'
import { readSse } from './sse'
import type {
  Answer,
  AskEvent,
  AskInput,
  Comparison,
  ComposeInput,
  Composed,
  DocumentDetail,
  DocumentQuery,
  DocumentSummary,
  EditInput,
  Facets,
  Import,
  ImportRowState,
  ImportSummary,
  OpenedForm,
  Page,
  Related,
  RelationQuery,
  SearchInput,
  SearchOutput,
  Session,
  SessionSummary,
  Status,
  Trace,
  Versions,
} from './types'

const BASE = '/api/v1'

/** How a caller signs in. The console sets this once, so that this file knows nothing of dialogs. */
export interface SignInGate {
  /** Asks to sign in; resolves to whether the request is to be sent again. */
  request(): Promise<boolean>
}

let gate: SignInGate = { request: () => Promise.resolve(false) }

export function useSignInGate(value: SignInGate): void {
  gate = value
}

export type Query = Record<string, string | number | boolean | null | undefined>

export interface Options {
  method?: string
  body?: unknown
  query?: Query
  signal?: AbortSignal
  accept?: string
  /** A request nobody asked for, or whose 401 means something else: it must not ask to sign in. */
  background?: boolean
}

export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value != null && value !== '') search.set(key, String(value))
  }
  const tail = search.toString()
  return BASE + path + (tail ? `?${tail}` : '')
}

/** No sign-in counts: there was none, or it has ended. */
export const needsSignIn = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 'sign_in_required' || error.code === 'sign_in_failed')

export async function send(path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: options.accept ?? 'application/json' }
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(url(path, options.query), {
      method: options.method ?? 'GET',
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      credentials: 'same-origin',
    })
  } catch (error) {
    if (isAbort(error)) throw error
    throw toApiError(error)
  }
  if (response.ok) return response
  const failure = await ApiError.fromResponse(response)
  if (needsSignIn(failure) && !options.background && (await gate.request())) return send(path, { ...options, background: true })
  throw failure
}

export async function json<T>(path: string, options?: Options): Promise<T> {
  const response = await send(path, options)
  return (await response.json()) as T
}

export const part = encodeURIComponent

/** Reads an event stream of JSON data, calling back per event. */
async function stream(path: string, options: Options, each: (event: string, data: unknown) => void): Promise<void> {
  const response = await send(path, { ...options, accept: 'text/event-stream' })
  if (!response.body) throw ApiError.interrupted()
  try {
    for await (const { event, data } of readSse(response.body)) each(event, JSON.parse(data))
  } catch (error) {
    if (isAbort(error) || error instanceof ApiError) throw error
    throw ApiError.interrupted()
  }
}

export const api = {
  status: (signal?: AbortSignal) => json<Status>('/status', { signal }),

  /** Streams an answer; resolves to the whole of it. */
  async ask(input: AskInput, each: (event: AskEvent) => void, signal: AbortSignal): Promise<Answer> {
    let answer: Answer | null = null
    await stream('/ask', { method: 'POST', body: input, signal }, (event, data) => {
      const typed = { event, data } as AskEvent
      if (typed.event === 'error') throw new ApiError(typed.data)
      if (typed.event === 'done') answer = typed.data
      each(typed)
    })
    if (!answer) throw ApiError.interrupted()
    return answer
  },

  sessions: (page: number, pageSize = 30) =>
    json<Page<SessionSummary>>('/sessions', { query: { page, page_size: pageSize } }),
  session: (id: string, signal?: AbortSignal) => json<Session>(`/sessions/${part(id)}`, { signal }),
  deleteSession: (id: string) => send(`/sessions/${part(id)}`, { method: 'DELETE' }).then(() => undefined),
  restoreSession: (id: string) => json<SessionSummary>(`/sessions/${part(id)}/restore`, { method: 'POST' }),

  trace: (id: string, signal?: AbortSignal) => json<Trace>(`/traces/${part(id)}`, { signal }),

  documents: (query: DocumentQuery, signal?: AbortSignal) =>
    json<Page<DocumentSummary>>('/knowledge/documents', { query: { ...query }, signal }),
  document: (id: string, asOf?: string, signal?: AbortSignal) =>
    json<DocumentDetail>(`/knowledge/documents/${part(id)}`, { query: { as_of: asOf }, signal }),
  originalUrl: (id: string) => url(`/knowledge/documents/${part(id)}/original`),
  withdraw: (id: string) => send(`/knowledge/documents/${part(id)}`, { method: 'DELETE' }).then(() => undefined),
  restoreDocument: (id: string) =>
    json<DocumentSummary>(`/knowledge/documents/${part(id)}/restore`, { method: 'POST' }),
  versions: (id: string, asOf?: string, signal?: AbortSignal) =>
    json<Versions>(`/knowledge/documents/${part(id)}/versions`, { query: { as_of: asOf }, signal }),
  restoreVersion: (id: string, version: string) =>
    json<DocumentSummary>(`/knowledge/documents/${part(id)}/versions/${part(version)}/restore`, { method: 'POST' }),
  compare: (old: string, later: string, signal?: AbortSignal) =>
    json<Comparison>(`/knowledge/documents/${part(later)}/compare/${part(old)}`, { signal }),
  relations: (id: string, query: RelationQuery, signal?: AbortSignal) =>
    json<Page<Related>>(`/knowledge/documents/${part(id)}/relations`, { query: { ...query }, signal }),
  edit: (id: string, body: EditInput) =>
    json<DocumentDetail>(`/knowledge/documents/${part(id)}/edit`, { method: 'POST', body }),
  compose: (body: ComposeInput) => json<Composed>('/knowledge/compose', { method: 'POST', body }),
  form: (id: string, signal?: AbortSignal) => json<OpenedForm>(`/knowledge/documents/${part(id)}/form`, { signal }),
  facets: (signal?: AbortSignal) => json<Facets>('/knowledge/facets', { signal }),
  search: (input: SearchInput, signal?: AbortSignal) =>
    json<SearchOutput>('/knowledge/search', { method: 'POST', body: input, signal }),

  imports: (page: number, pageSize = 20) =>
    json<Page<ImportSummary>>('/knowledge/imports', { query: { page, page_size: pageSize } }),
  runningImports: () =>
    json<Page<ImportSummary>>('/knowledge/imports', { query: { page: 1, page_size: 5 }, background: true }),
  import: (id: string, page: number, pageSize: number, state: ImportRowState | '', signal?: AbortSignal) =>
    json<Import>(`/knowledge/imports/${part(id)}`, { query: { page, page_size: pageSize, state }, signal }),
  cancelImport: (id: string) => json<Import>(`/knowledge/imports/${part(id)}/cancel`, { method: 'POST' }),
  followImport: (id: string, each: (event: string, data: Import) => void, signal: AbortSignal) =>
    stream(`/knowledge/imports/${part(id)}/events`, { signal }, (event, data) => each(event, data as Import)),
}

export interface UploadFile {
  file: File
  /** Relative path inside a dropped folder, or the plain name. */
  path: string
}

/** Uploads by XMLHttpRequest, because fetch cannot tell how much has been sent. */
export async function uploadImport(
  files: UploadFile[],
  space: string,
  progress: (sent: number, total: number) => void,
  signal: AbortSignal,
): Promise<Import> {
  try {
    return await uploadOnce(files, space, progress, signal)
  } catch (error) {
    if (needsSignIn(error) && (await gate.request())) {
      return uploadOnce(files, space, progress, signal)
    }
    throw error
  }
}

function uploadOnce(
  files: UploadFile[],
  space: string,
  progress: (sent: number, total: number) => void,
  signal: AbortSignal,
): Promise<Import> {
  return new Promise((resolve, reject) => {
    const form = new FormData()
    if (space) form.append('space', space)
    for (const { file, path } of files) form.append('file', file, path)
    const request = new XMLHttpRequest()
    request.open('POST', url('/knowledge/imports'))
    request.setRequestHeader('Accept', 'application/json')
    request.upload.onprogress = (event) => progress(event.loaded, event.total)
    request.onerror = () => reject(ApiError.unreachable())
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'))
    request.onload = () => {
      const body = parse(request.responseText)
      if (request.status >= 200 && request.status < 300) resolve(body as unknown as Import)
      else reject(new ApiError({ ...body, status: request.status }))
    }
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(form)
  })
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
