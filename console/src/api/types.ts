// The one door to the types of the HTTP API. All of them are generated from the server's Rust definitions
// (`npm run types` writes schema.d.ts); here they only get their names.
import type { components, operations } from './schema'

type Schemas = components['schemas']
/** What an operation answers with. */
type Answered<O extends keyof operations> = operations[O] extends {
  responses: { 200: { content: { 'application/json': infer T } } }
}
  ? T
  : never

export type Page<T> = Omit<Schemas['Page_SessionSummary'], 'items'> & { items: T[] }
export type Problem = Schemas['Problem']

export type Status = Schemas['Status']
export type ModelMode = Schemas['Mode']
export type ModelPart = Schemas['Part']
export type ModelView = Schemas['ModelView']
export type ModelsView = Schemas['ModelsView']
export type MeaningState = Schemas['MeaningState']
export type Rung = Schemas['RungState']

export type Me = Schemas['Me']
export type Provider = Schemas['ProviderView']
export type Account = Schemas['Account']
export type User = Schemas['User']
export type UserState = Schemas['UserState']
export type Role = Schemas['Role']
export type Link = Schemas['OneTimeLink']
export type LinkView = Schemas['LinkView']
export type LinkPurpose = Schemas['LinkPurpose']
export type OpenSignIn = Schemas['OpenSignIn']
export type RedeemInput = Schemas['RedeemInput']
export type Department = Schemas['Department']
export type NewUserInput = Schemas['NewUserInput']
export type UserChange = Partial<Omit<Schemas['UserChangeInput'], 'id'>>
export type Invited = Schemas['Invited']
export type KeyView = Schemas['KeyView']
export type NewKeyInput = Schemas['NewKeyInput']
export type CreatedKey = Schemas['CreatedKey']
export type Access = Schemas['Access']
export type PermissionView = Schemas['PermissionView']
export type SpaceRule = Schemas['SpaceRule']
export type Entry = Schemas['Entry']
export type Verdict = Schemas['Verdict']

export type AskInput = Schemas['AskInput']
export type Answer = Schemas['Answer']
export type Segment = Schemas['Segment']
export type Point = Schemas['Point']
export type PointKind = Schemas['PointKind']
export type Channel = Schemas['Channel']
export type Citation = Schemas['Citation']

export type Guide = Schemas['Guide']
export type GuideState = Schemas['GuideState']
export type GuideForm = Schemas['ApplicationForm']
export type GuideRow = Schemas['Row']
export type Ask = Schemas['Ask']
export type Choice = Schemas['Choice']
export type Offer = Schemas['Offer']
export type Condition = Schemas['Condition']
export type Amount = Schemas['Amount']
export type Material = Schemas['Material']

export type CaseSummary = Schemas['CaseSummary']
export type CaseView = Schemas['CaseView']
export type CaseStatus = Schemas['CaseStatus']
export type Decision = Schemas['Decision']

export type ItemSummary = Schemas['ItemSummary']
export type Audience = ItemSummary['audience'][number]
export type ImportedItems = Schemas['ImportedItems']
export type Said = Schemas['Said']
export type ItemChannel = Schemas['ItemChannel']
export type ItemView = Schemas['ItemView']

export type SessionSummary = Schemas['SessionSummary']
export type Session = Schemas['Session']
export type Turn = Schemas['Turn']

export type Span = Omit<Schemas['Span'], 'attributes'> & { attributes: Record<string, unknown> }
export type Trace = Omit<Schemas['Trace'], 'spans'> & { spans: Span[] }

export type DocumentStatus = Schemas['DocumentStatus']
export type DocumentKind = Schemas['DocumentKind']
export type DocumentSummary = Schemas['DocumentSummary']
export type DocumentLink = Schemas['Link']
export type DocumentDetail = Schemas['DocumentDetail']
export type Heading = Schemas['OutlineEntry']
export type ClauseText = Schemas['ClauseText']
export type Facet = Schemas['Facet']
export type Facets = Schemas['Facets']
export type DocumentQuery = NonNullable<operations['knowledge.documents']['parameters']['query']>

export type DocumentFormat = Schemas['Format']
export type Related = Answered<'knowledge.relations'>['items'][number]
export type RelationKind = Related['kind']
export type RelationDirection = NonNullable<RelationQuery['direction']>
export type RelationQuery = NonNullable<operations['knowledge.relations']['parameters']['query']>
export type VersionSummary = Schemas['VersionSummary']
export type Versions = Answered<'knowledge.versions'>
export type Changes = Answered<'knowledge.compare'>['changes']
export type Composed = Schemas['Composed']

// The document says the kind of a form beside a reference, where the generator doesn't look: it is put back here.
type FormWith<K extends string> = Extract<Schemas['ComposeInput']['form'], Record<K, unknown>>
// The form of a guide shares its name with the form of a guided dialogue, whose shape the document gives it.
export interface GuideDocument {
  item: string
  issuer: string | null
  basis: string[]
  conditions: string[]
  materials: string[]
  steps: string[]
  time_limit: string | null
  fee: string | null
  channels: string[]
  contact: string | null
}
export type KnowledgeForm =
  | ({ kind: 'policy' } & FormWith<'number'>)
  | ({ kind: 'guide' } & GuideDocument)
  | ({ kind: 'walkthrough' } & FormWith<'audience'>)
  | ({ kind: 'faq' } & FormWith<'pairs'>)
  | ({ kind: 'primer' } & Exclude<FormWith<'body'>, Record<'number', unknown>>)
export type ComposeInput = Omit<Schemas['ComposeInput'], 'form'> & { form: KnowledgeForm }
export type OpenedForm = Omit<Schemas['OpenedForm'], 'form'> & { form: KnowledgeForm }

// The document leaves out the body of `knowledge.edit`, and gives the pairs of a comparison the shape of a question with
// its answer, whose name they share; until it describes them, these are written by hand.
export type CorrectedField = keyof Pick<
  DocumentDetail,
  | 'title'
  | 'kind'
  | 'issuer'
  | 'number'
  | 'region'
  | 'issued'
  | 'effective_from'
  | 'effective_until'
  | 'topics'
  | 'space'
>
export interface EditInput {
  revision: number
  set: Partial<Record<CorrectedField, string | string[] | null>>
  undo: CorrectedField[]
}
export type ClauseFate = 'same' | 'moved' | 'changed' | 'added' | 'removed'
export interface ComparedSide {
  clause: number
  path: string
  text: string
  /** What the other side doesn't have: code points from and to. */
  spans: [number, number][]
}
export interface ComparedClause {
  fate: ClauseFate
  old: ComparedSide | null
  new: ComparedSide | null
}
export type Comparison = Omit<Answered<'knowledge.compare'>, 'clauses'> & { clauses: ComparedClause[] }

export type SearchInput = Schemas['SearchInput']
export type SearchOutput = Schemas['SearchOutput']
export type Hit = Schemas['Hit']

export type ImportState = Schemas['ImportState']
export type ImportRowState = Schemas['RowState']
export type ImportRow = Schemas['ImportRow']
export type Import = Schemas['Import']
/** As in the list of imports: there the rows stay empty. */
export type ImportSummary = Omit<Import, 'rows' | 'rows_total'>

// The document does not describe the events of the answer's stream yet; once it has AskAccepted, AskStep and
// their names, these three become aliases as well.
export type StepName = 'understand' | 'retrieve' | 'compose' | 'phrase' | 'check' | 'guide'

export interface Step {
  step: StepName
  label: string
  ms: number
}

export type AskEvent =
  | { event: 'accepted'; data: Pick<Answer, 'session' | 'turn' | 'trace'> }
  | { event: 'step'; data: Step }
  | { event: 'citation'; data: Citation }
  | { event: 'segment'; data: Segment }
  | { event: 'point'; data: Point }
  | { event: 'guide'; data: Guide }
  | { event: 'done'; data: Answer }
  | { event: 'error'; data: Problem }
