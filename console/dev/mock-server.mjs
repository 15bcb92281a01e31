// A stand-in for the Rust server, to the same contract, for work on the console alone.
//   node dev/mock-server.mjs [port]     also serves dist/ when it has been built
//   any login name with the password citymind-mock signs in, as an administrator
//   MOCK_SLOW=0                         no pauses between the pieces of an answer
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXAMPLES, documents as seed, fromUpload } from './city-data.mjs'
import { answerFor, tokens } from './mock-answers.mjs'
import { createImports } from './mock-imports.mjs'

const PORT = Number(process.argv[2] ?? process.env.PORT ?? 8080)
const PASSWORD = 'citymind-mock'
const OPEN = ['auth.me', 'auth.sign_in', 'service.ask', 'knowledge.search', 'knowledge.documents', 'sessions.list']
const MANAGE = ['knowledge.upload', 'knowledge.imports', 'knowledge.import_detail', 'knowledge.withdraw', 'knowledge.restore']
const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, process.env.MOCK_SLOW === '0' ? 0 : ms))

const documents = new Map(seed.map((d) => [d.id, d]))
const withdrawn = new Set()
const sessions = new Map()
const deleted = new Set()
const traces = new Map()
let counter = 0
const id = (kind) => `${kind}-${Date.now().toString(36)}${(counter++).toString(36)}`
const living = () => [...documents.values()].filter((d) => !withdrawn.has(d.id))

const imports = createImports({
  id,
  store(path, content, space) {
    const document = fromUpload(id('doc'), path, content, space)
    documents.set(document.id, document)
    return document
  },
})

function problem(res, status, code, title, detail) {
  res.writeHead(status, { 'content-type': 'application/problem+json; charset=utf-8' })
  res.end(JSON.stringify({ type: `/docs/errors#${code}`, title, status, detail, code, request_id: id('req') }))
}
function json(res, value, status = 200) {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  res.end(JSON.stringify(value))
}
function page(items, query, most = 200) {
  const number = Math.max(1, Number(query.get('page') ?? 1))
  const size = Math.min(most, Math.max(1, Number(query.get('page_size') ?? 20)))
  return { items: items.slice((number - 1) * size, number * size), total: items.length, page: number, page_size: size }
}
async function bodyOf(req) {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const summary = ({ body, outline, text, notes, source, repeals, repealed_by, ...rest }) => ({ topics: [], version: 1, version_of: null, ...rest })
const sessionSummary = (s) => ({ id: s.id, title: s.title, turns: s.turns.length, updated_at: s.updated_at })

function signedIn(req) {
  return /citymind_sign_in=mock/.test(req.headers.cookie ?? '')
}
function manage(req, res) {
  if (signedIn(req)) return true
  problem(res, 401, 'sign_in_required', '需要登录', '这项操作需要登录后使用。')
  return false
}

async function authCalls(req, res, what) {
  const person = { id: 'mock', name: '演示管理员', roles: ['administrator'], departments: [] }
  const user = { ...person, login: 'admin', state: 'active', verified: false, business: null, external: false, created_at: new Date().toISOString(), signed_in_at: null }
  if (what === 'me') {
    const account = signedIn(req) ? { ...person, verified: false, via: 'sign_in' } : null
    return json(res, { account, user: account && user, capabilities: account ? [...OPEN, ...MANAGE] : OPEN, needs_setup: false, providers: [] })
  }
  const cookie = (value) => res.setHeader('set-cookie', `citymind_sign_in=${value}; Path=/; HttpOnly; SameSite=Lax`)
  if (what === 'sign-in') {
    const input = JSON.parse((await bodyOf(req)).toString() || '{}')
    if (input.password !== PASSWORD) return problem(res, 401, 'sign_in_failed', '登录失败', '登录名或密码不正确。')
    cookie('mock')
    return json(res, user)
  }
  cookie('; Max-Age=0')
  res.writeHead(204)
  res.end()
}

async function ask(req, res) {
  const input = JSON.parse((await bodyOf(req)).toString() || '{}')
  const question = String(input.question ?? '').trim()
  if (question === '') return problem(res, 400, 'question_empty', '没有问题', '请写下要问的事，再发送。')
  if ([...question].length > 2000) {
    return problem(res, 400, 'question_too_long', '问题太长', `问题有 ${[...question].length} 字，最多 2000 字，请删减后再发。`)
  }
  let session = input.session ? sessions.get(input.session) : null
  if (input.session && !session) return problem(res, 404, 'session_not_found', '没有这段对话', '这段对话不存在或已删除，请开始新对话。')
  const now = new Date().toISOString()
  session ??= { id: id('s'), title: question.slice(0, 40), created_at: now, updated_at: now, turns: [] }
  const built = { ...answerFor(question, living()), session: session.id, turn: id('t'), trace: id('trace'), elapsed_ms: 412 }
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
  let open = true
  res.on('close', () => (open = false))
  const send = (event, data) => open && res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  send('accepted', { session: session.id, turn: built.turn, trace: built.trace })
  for (const [step, label, ms] of [['understand', '理解了问题', 38], ['retrieve', '找到 12 条相关条款', 96], ['compose', '写好了回答', 180]]) {
    await pause(ms * 3)
    send('step', { step, label, ms })
  }
  if (question.includes('测试断线')) return res.destroy()
  if (question.includes('测试出错')) {
    send('error', { type: '/docs/errors#model_failed', title: '模型没有回应', status: 503, detail: '模型服务没有在 30 秒内回应，请稍后重试。', code: 'model_failed', request_id: id('req') })
    return res.end()
  }
  const sent = new Set()
  for (const segment of built.segments) {
    for (const n of segment.citations) {
      if (!sent.has(n)) send('citation', built.citations.find((c) => c.n === n))
      sent.add(n)
    }
    send('segment', segment)
    await pause(260)
  }
  for (const citation of built.citations) if (!sent.has(citation.n)) send('citation', citation)
  for (const point of built.points) {
    send('point', point)
    await pause(60)
  }
  send('step', { step: 'check', label: '每句话都核对过依据', ms: 22 })
  traces.set(built.trace, {
    id: built.trace,
    question,
    started_at: now,
    elapsed_ms: 412,
    spans: [
      { name: 'safety.in', label: '安全检查（输入）', start_ms: 0, ms: 3, attributes: { verdict: '通过' } },
      { name: 'understand', label: '理解', start_ms: 3, ms: 38, attributes: { tokens: tokens(question).slice(0, 8), intent: '政策咨询' } },
      { name: 'retrieve', label: '检索', start_ms: 41, ms: 96, attributes: { candidates: 120, kept: 12, revision: 42 } },
      { name: 'compose', label: '组织回答', start_ms: 137, ms: 180, attributes: { mode: '抽取', segments: built.segments.length } },
      { name: 'ground', label: '核对依据', start_ms: 317, ms: 22, attributes: { checked: built.segments.length, removed: 0 } },
    ],
  })
  if (!open) return
  sessions.set(session.id, session)
  session.turns.push({ id: built.turn, question, asked_at: now, answer: built })
  session.updated_at = now
  send('done', built)
  res.end()
}

function listDocuments(query) {
  const q = (query.get('q') ?? '').toLowerCase()
  const has = (key, value) => !query.get(key) || query.get(key) === value
  const sort = query.get('sort') ?? 'imported_at'
  const direction = query.get('order') === 'asc' ? 1 : -1
  return living()
    .filter((d) => [d.title, d.number, d.issuer].some((t) => t?.toLowerCase().includes(q)))
    .filter((d) => has('space', d.space) && has('region', d.region) && has('status', d.status) && has('kind', d.kind))
    .sort((a, b) => direction * String(a[sort] ?? '').localeCompare(String(b[sort] ?? ''), 'zh'))
    .map(summary)
}

function facet(key) {
  const counts = new Map()
  for (const d of living()) if (d[key]) counts.set(d[key], (counts.get(d[key]) ?? 0) + 1)
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count)
}

async function search(req, res) {
  const input = JSON.parse((await bodyOf(req)).toString())
  const words = tokens(input.query)
  const hits = []
  for (const d of living()) {
    if (input.kind && d.kind !== input.kind) continue
    if (input.status && d.status !== input.status) continue
    if (input.space && d.space !== input.space) continue
    if (input.region && d.region !== input.region) continue
    for (const c of d.body) {
      const matched = words.filter((w) => c.text.includes(w))
      if (matched.length === 0) continue
      const score = matched.reduce((sum, w) => sum + w.length, 0) / Math.log(20 + c.text.length)
      hits.push({ document: d.id, title: d.title, number: d.number, status: d.status, path: [...c.path, c.label].filter(Boolean).join(' › '), clause: c.clause, score, text: c.text, matched })
    }
  }
  hits.sort((a, b) => b.score - a.score)
  await pause(60)
  const expanded = /二胎/.test(input.query) ? [{ term: '二胎', to: ['二孩', '第二个子女'] }] : []
  json(res, { hits: hits.slice(0, input.limit ?? 10), elapsed_ms: 14, expanded })
}

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
async function files(path, res) {
  const wanted = normalize(path).replace(/^\/+/, '')
  for (const name of [wanted || 'index.html', 'index.html']) {
    try {
      const content = await readFile(join(DIST, name))
      res.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' })
      return res.end(content)
    } catch {
      if (name.startsWith('assets/')) break
    }
  }
  problem(res, 404, 'not_found', '没有找到', `没有 ${path}。`)
}

// Here every document has one version, stands for itself and was never corrected.
const NO_RELATIONS = { items: [], total: 0, page: 1, page_size: 20 }
const WITHOUT_PAST = { version: 1, version_of: null, revision: 1, topics: [], edits: {}, log: [], amended_by: null, says: NO_RELATIONS, said_of: NO_RELATIONS }
const version = ({ id, title, number, issued, effective_from, effective_until, status, clauses, imported_at, source }) => ({
  id, title, number, issued, status, clauses, imported_at, source, path: source.name, version: 1, version_of: null,
  begins: effective_from ?? issued ?? null, ends: effective_until ?? null, replaced: false, changes: null,
})

async function documentCalls(req, res, parts) {
  const document = documents.get(parts[2])
  if (!document) return problem(res, 404, 'document_not_found', '没有这份文件', '文件不存在，或者已经被删除。')
  if (parts[3] === 'original') {
    res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(document.source.name)}` })
    return res.end(document.text)
  }
  if (parts[3] === 'versions' && req.method === 'GET') return json(res, { versions: [version(document)], wordings: [] })
  if (parts[3] === 'relations') return json(res, NO_RELATIONS)
  if (parts[3] === 'edit' || parts[3] === 'form') return problem(res, 501, 'not_in_mock', '模拟服务没有这项', '请用真正的服务试。')
  if (parts[3] === 'restore') {
    if (!manage(req, res)) return
    withdrawn.delete(document.id)
    return json(res, summary(document))
  }
  if (req.method === 'DELETE') {
    if (!manage(req, res)) return
    withdrawn.add(document.id)
    return json(res, { ...summary(document), status: 'withdrawn' })
  }
  const { text, ...own } = document
  const detail = { ...WITHOUT_PAST, ...own }
  json(res, withdrawn.has(document.id) ? { ...detail, status: 'withdrawn' } : detail)
}

async function sessionCalls(req, res, parts, query) {
  if (!parts[1]) {
    const mine = [...sessions.values()].filter((s) => !deleted.has(s.id) && s.turns.length > 0)
    mine.sort((a, b) => b.updated_at.localeCompare(a.updated_at))
    return json(res, page(mine.map(sessionSummary), query))
  }
  const session = sessions.get(parts[1])
  if (!session || (deleted.has(session.id) && parts[2] !== 'restore')) {
    return problem(res, 404, 'session_not_found', '没有这段对话', '这段对话不存在或已删除。')
  }
  if (parts[2] === 'restore') {
    deleted.delete(session.id)
    return json(res, sessionSummary(session))
  }
  if (req.method === 'DELETE') {
    deleted.add(session.id)
    return json(res, sessionSummary(session))
  }
  json(res, session)
}

async function route(req, res) {
  const address = new URL(req.url, 'http://mock')
  if (address.pathname.startsWith('/health')) return json(res, { status: 'ok' })
  if (!address.pathname.startsWith('/api/v1/')) return files(address.pathname, res)
  const parts = address.pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent)
  const [first, second] = parts
  if (first === 'status') {
    return json(res, {
      product: '城智', version: '0.1.0', city: '云江市',
      model: { mode: 'none', chat: null, embedder: null },
      knowledge: { documents: living().length, clauses: living().reduce((n, d) => n + d.clauses, 0), revision: 42, indexed_revision: 42 },
      manages_knowledge: signedIn(req), examples: EXAMPLES,
    })
  }
  if (first === 'auth') return authCalls(req, res, second)
  if (first === 'ask') return ask(req, res)
  if (first === 'sessions') return sessionCalls(req, res, parts, address.searchParams)
  if (first === 'traces') {
    const trace = traces.get(second)
    return trace ? json(res, trace) : problem(res, 404, 'trace_not_found', '没有这次过程', '过程记录已过期。')
  }
  if (first === 'knowledge') {
    if (second === 'documents') return parts[2] ? documentCalls(req, res, parts) : json(res, page(listDocuments(address.searchParams), address.searchParams))
    if (second === 'facets') return json(res, { spaces: facet('space'), regions: facet('region'), statuses: facet('status'), kinds: facet('kind') })
    if (second === 'search') return search(req, res)
    if (second === 'imports') return manage(req, res) && imports.handle(req, res, parts.slice(2), address.searchParams, { json, problem, page, bodyOf })
    if (second === 'reindex') return manage(req, res) && json(res, { revision: 43, documents: documents.size, elapsed_ms: 120 })
  }
  problem(res, 404, 'not_found', '没有这个接口', `没有 ${address.pathname}。`)
}

createServer((req, res) => {
  route(req, res).catch((error) => {
    console.error(error)
    if (res.headersSent) res.destroy()
    else problem(res, 500, 'internal', '服务器出错', String(error))
  })
}).listen(PORT, '127.0.0.1', () => console.log(`mock server: http://127.0.0.1:${PORT}`))
