// Serves dist/ as the binary does and passes /api and /health on to a running server, for walks over a console
// newer than the one embedded in the binary.
//   CITYMIND_URL=http://127.0.0.1:8080 node dev/serve-dist.mjs [port, default 4173]
import { createReadStream, statSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const PORT = Number(process.argv[2] ?? process.env.PORT ?? 4173)
const SERVER = new URL(process.env.CITYMIND_URL ?? 'http://127.0.0.1:8080')
const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
// The headers under which the server shows its own console apply here as well: a policy that it breaks must show.
const GUARDS = ['content-security-policy', 'x-content-type-options', 'x-frame-options', 'referrer-policy']
const guards = await fetch(SERVER, { method: 'HEAD' }).then(
  ({ headers }) => Object.fromEntries(GUARDS.filter((n) => headers.has(n)).map((n) => [n, headers.get(n)])),
  () => ({}),
)

function pass(req, res) {
  const up = request(
    { hostname: SERVER.hostname, port: SERVER.port, path: req.url, method: req.method, headers: req.headers },
    (answer) => {
      res.writeHead(answer.statusCode, answer.headers)
      answer.pipe(res)
    },
  )
  // Whoever leaves early must not keep the answer running.
  res.on('close', () => up.destroy())
  up.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()))
  req.pipe(up)
}

function isFile(path) {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function serve(path, res) {
  const wanted = normalize(join(DIST, decodeURIComponent(path)))
  const found = wanted.startsWith(DIST + sep) && isFile(wanted)
  if (!found && path.startsWith('/assets/')) return res.writeHead(404).end()
  const file = found ? wanted : join(DIST, 'index.html')
  res.writeHead(200, { ...guards, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' })
  createReadStream(file).pipe(res)
}

createServer((req, res) => {
  const { pathname } = new URL(req.url, 'http://here')
  if (pathname.startsWith('/api/') || pathname.startsWith('/health/')) pass(req, res)
  else serve(pathname, res)
}).listen(PORT, '127.0.0.1', () => console.log(`dist: http://127.0.0.1:${PORT}, api: ${SERVER.origin}`))
