// Imports of the mock server. A file name with “批量” stands for 3,000 files, to see what thousands of rows do.

export function createImports({ id, store }) {
  const imports = new Map()
  const listeners = new Map()

  const big = build('政务服务', 3000)
  Object.assign(big, { state: 'done', created_at: '2026-11-18T08:30:00+08:00', finished_at: '2026-11-18T08:34:10+08:00' })
  big.all.forEach((row, i) => settle(row, i))
  imports.set(big.id, big)

  function build(space, n, paths = null) {
    const all = Array.from({ length: n }, (_, i) => ({
      path: paths?.[i] ?? `政策文件/${2015 + (i % 11)}年/文件${String(i + 1).padStart(4, '0')}.docx`,
      state: 'waiting', document: null, title: null, clauses: null, issued: null, effective_from: null, effective_until: null, warnings: [], error: null,
    }))
    return { id: id('imp'), space, state: 'running', created_at: new Date().toISOString(), finished_at: null, all }
  }

  function settle(row, i) {
    row.title = row.path.split('/').pop().replace(/\.\w+$/, '')
    if (i % 40 === 17) Object.assign(row, { state: 'failed', title: null, error: '文件不是有效的 Word 文档（压缩包结构损坏）。请用 Word 或 WPS 打开后另存为 docx 再导入。' })
    else if (i % 13 === 5) Object.assign(row, { state: 'unchanged', document: 'doc-1', clauses: 6 })
    else Object.assign(row, { state: i % 9 === 4 ? 'updated' : 'imported', document: 'doc-2', clauses: 3 + (i % 40), issued: '2024-03-18', effective_from: i % 4 ? '2024-05-01' : null })
    if (i % 4 === 0 && row.state !== 'failed') row.warnings = ['没有找到施行日期，按发布日期处理。']
  }

  function counts(item) {
    const n = (...states) => item.all.filter((r) => states.includes(r.state)).length
    const { all, files, ...rest } = item
    return { ...rest, total: all.length, imported: n('imported', 'updated'), unchanged: n('unchanged'), failed: n('failed'), waiting: n('waiting') }
  }
  const view = (item, rows, total) => ({ ...counts(item), rows, rows_total: total ?? item.all.length })

  function tell(item, changed) {
    for (const send of listeners.get(item.id) ?? []) send(item.state === 'running' ? 'progress' : 'done', view(item, changed))
  }

  async function work(item) {
    for (let i = 0; i < item.all.length && item.state === 'running'; ) {
      const changed = item.all.slice(i, i + (item.all.length > 100 ? 40 : 1))
      await new Promise((resolve) => setTimeout(resolve, item.all.length > 100 ? 120 : 350))
      changed.forEach((row, k) => {
        const file = item.files?.[i + k]
        if (!file) return settle(row, i + k)
        if (/\.docx$/i.test(row.path)) {
          Object.assign(row, { state: 'failed', error: '文件不是有效的 Word 文档（压缩包结构损坏）。请用 Word 或 WPS 打开后另存为 docx 再导入。' })
          return
        }
        const document = store(row.path, file.content, item.space || '默认')
        Object.assign(row, { state: 'imported', document: document.id, title: document.title, clauses: document.clauses, warnings: ['没有找到施行日期，按导入日期生效。'] })
      })
      i += changed.length
      if (i >= item.all.length) Object.assign(item, { state: 'done', finished_at: new Date().toISOString() })
      tell(item, changed)
    }
  }

  async function handle(req, res, [importId, action], query, { json, problem, page, bodyOf }) {
    if (!importId && req.method === 'POST') {
      const form = await new Response(await bodyOf(req), { headers: { 'content-type': req.headers['content-type'] } }).formData()
      const files = await Promise.all(form.getAll('file').map(async (f) => ({ path: f.name, content: await f.text() })))
      if (files.length === 0) return problem(res, 400, 'no_files', '没有文件', '请选择至少一个文件。')
      const many = files.some((f) => f.path.includes('批量'))
      const item = many ? build(String(form.get('space') ?? ''), 3000) : { ...build(String(form.get('space') ?? ''), files.length, files.map((f) => f.path)), files }
      imports.set(item.id, item)
      void work(item)
      return json(res, view(item, item.all.slice(0, 50)), 202)
    }
    if (!importId) {
      const all = [...imports.values()].sort((a, b) => b.created_at.localeCompare(a.created_at))
      return json(res, page(all.map(counts), query))
    }
    const item = imports.get(importId)
    if (!item) return problem(res, 404, 'import_not_found', '没有这次导入', '导入记录不存在，或者已经清理。')
    if (action === 'cancel') {
      Object.assign(item, { state: 'cancelled', finished_at: new Date().toISOString() })
      tell(item, [])
      return json(res, view(item, []))
    }
    if (action === 'events') {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      const send = (event, data) => {
        res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
        if (event === 'done') res.end()
      }
      if (item.state !== 'running') return send('done', view(item, []))
      const all = listeners.get(item.id) ?? new Set()
      listeners.set(item.id, all.add(send))
      res.on('close', () => all.delete(send))
      return
    }
    const rows = item.all.filter((r) => !query.get('state') || r.state === query.get('state'))
    const shown = page(rows, query)
    json(res, view(item, shown.items, shown.total))
  }

  return { handle }
}
