// The types of the HTTP API. They are generated from the server's OpenAPI document by `npm run types`
// (into schema.d.ts); this file is the one door through which the console imports them.
// Until that generation is wired, they are written here by hand to the contract of the API's first part.

export interface Page<T> {
  items: T[]
  total: number
  page: number
  page_size: number
}

/** RFC 9457 problem details. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  request_id: string
}

export type ModelMode = 'none' | 'local' | 'remote'

export interface Status {
  product: string
  version: string
  city: string
  model: { mode: ModelMode; chat: string | null; embedder: string | null }
  knowledge: { documents: number; clauses: number; revision: number; indexed_revision: number }
  seeding: { done: number; total: number } | null
  operator: boolean
  examples: string[]
}

export interface AskInput {
  question: string
  session?: string
  as_of?: string
  space?: string
}

export type AnswerStatus = 'answered' | 'refused' | 'clarify' | 'guide' | 'data' | 'done'

export interface Answer {
  status: AnswerStatus
  answer: string
  segments: Segment[]
  points: Point[]
  citations: Citation[]
  channels: Channel[]
  notices: string[]
  session: string
  turn: string
  trace: string
  elapsed_ms: number
}

export interface Segment {
  text: string
  citations: number[]
}

export type PointKind = 'condition' | 'amount' | 'material' | 'channel' | 'deadline'

export interface Point {
  kind: PointKind
  label: string
  text: string
  citation: number
}

export interface Channel {
  name: string
  contact: string
  note: string
}

export interface Citation {
  n: number
  document: string
  title: string
  number: string | null
  issuer: string | null
  path: string
  clause: number
  /** Code point offsets in the document's text. */
  start: number
  end: number
  quote: string
  status: DocumentStatus
  effective_from: string | null
  effective_until: string | null
}

export type StepName = 'understand' | 'retrieve' | 'compose' | 'check'

export interface Step {
  step: StepName
  label: string
  ms: number
}

export type AskEvent =
  | { event: 'accepted'; data: { session: string; turn: string; trace: string } }
  | { event: 'step'; data: Step }
  | { event: 'citation'; data: Citation }
  | { event: 'segment'; data: Segment }
  | { event: 'point'; data: Point }
  | { event: 'done'; data: Answer }
  | { event: 'error'; data: Problem }

export interface SessionSummary {
  id: string
  title: string
  turns: number
  updated_at: string
}

export interface Session {
  id: string
  title: string
  created_at: string
  updated_at: string
  turns: Turn[]
}

export interface Turn {
  id: string
  question: string
  asked_at: string
  answer: Answer
}

export interface Trace {
  id: string
  question: string
  started_at: string
  elapsed_ms: number
  spans: Span[]
}

export interface Span {
  name: string
  label: string
  start_ms: number
  ms: number
  attributes: Record<string, unknown>
}

export type DocumentStatus = 'current' | 'upcoming' | 'expired' | 'repealed' | 'withdrawn'
export type DocumentKind = 'policy' | 'guide' | 'faq' | 'interpretation' | 'law' | 'other'
export type Format = 'md' | 'txt' | 'html' | 'docx'

export interface DocumentSummary {
  id: string
  title: string
  kind: DocumentKind
  format: Format
  issuer: string | null
  number: string | null
  region: string | null
  space: string
  issued: string | null
  effective_from: string | null
  effective_until: string | null
  status: DocumentStatus
  clauses: number
  characters: number
  imported_at: string
  warnings: number
}

export interface DocumentDetail extends DocumentSummary {
  source: { name: string; bytes: number; sha256: string }
  repeals: Link[]
  repealed_by: Link[]
  outline: Heading[]
  body: ClauseText[]
  notes: Note[]
}

export interface Heading {
  title: string
  level: number
  clause: number
}

export interface Note {
  clause: number | null
  message: string
}

export interface Link {
  title: string
  number: string | null
  document: string | null
}

export type ClauseKind = 'article' | 'section' | 'item' | 'paragraph' | 'table' | 'annex' | 'question' | 'front'

export interface ClauseText {
  clause: number
  kind: ClauseKind
  label: string
  path: string[]
  start: number
  end: number
  text: string
}

export interface Facet {
  value: string
  count: number
}

export interface Facets {
  spaces: Facet[]
  regions: Facet[]
  statuses: Facet[]
  kinds: Facet[]
}

export type DocumentSort = 'imported_at' | 'title' | 'issued' | 'effective_from'

export interface DocumentQuery {
  q?: string
  space?: string
  region?: string
  status?: string
  kind?: string
  sort?: DocumentSort
  order?: 'asc' | 'desc'
  page?: number
  page_size?: number
}

export interface SearchInput {
  query: string
  limit?: number
  as_of?: string
  space?: string
  region?: string
  kind?: DocumentKind
  status?: DocumentStatus
  issued_from?: string
  issued_until?: string
}

export interface SearchOutput {
  hits: Hit[]
  elapsed_ms: number
  expanded: { term: string; to: string[] }[]
}

export interface Hit {
  document: string
  title: string
  number: string | null
  status: DocumentStatus
  path: string
  clause: number
  score: number
  text: string
  matched: string[]
}

export type ImportState = 'running' | 'done' | 'cancelled'
export type ImportRowState = 'waiting' | 'imported' | 'updated' | 'unchanged' | 'failed'

export interface ImportSummary {
  id: string
  space: string
  state: ImportState
  created_at: string
  finished_at: string | null
  total: number
  imported: number
  unchanged: number
  failed: number
  waiting: number
}

export interface Import extends ImportSummary {
  rows: ImportRow[]
  rows_total: number
}

export interface ImportRow {
  path: string
  state: ImportRowState
  document: string | null
  title: string | null
  clauses: number | null
  issued: string | null
  effective_from: string | null
  effective_until: string | null
  warnings: string[]
  error: string | null
}
