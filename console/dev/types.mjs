// Writes the types of the HTTP API from the server's OpenAPI document.
//   citymind openapi > console/openapi.json
//   node dev/types.mjs            writes src/api/schema.d.ts
//   node dev/types.mjs --check    fails when that file is not what the document says
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const DOCUMENT = at('openapi.json')
const TYPES = at('src/api/schema.d.ts')
const CLI = at('node_modules/openapi-typescript/bin/cli.js')

if (!existsSync(DOCUMENT)) {
  console.error('console/openapi.json is missing. Write it first: citymind openapi > console/openapi.json')
  process.exit(2)
}

function generate(target) {
  // A default of null in the document means “may be left out”, not “is always there”.
  execFileSync(process.execPath, [CLI, DOCUMENT, '--default-non-nullable=false', '-o', target], { stdio: ['ignore', 'ignore', 'inherit'] })
}

if (!process.argv.includes('--check')) {
  generate(TYPES)
  console.log('wrote src/api/schema.d.ts')
} else {
  const folder = mkdtempSync(join(tmpdir(), 'citymind-types-'))
  try {
    const fresh = join(folder, 'schema.d.ts')
    generate(fresh)
    const same = existsSync(TYPES) && readFileSync(fresh, 'utf8') === readFileSync(TYPES, 'utf8')
    if (!same) {
      console.error('src/api/schema.d.ts is not what openapi.json says. Run: npm run types')
      process.exitCode = 1
    } else console.log('src/api/schema.d.ts is up to date')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
