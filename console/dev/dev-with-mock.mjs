// `npm run dev:mock`: the mock server and Vite together.
import { spawn } from 'node:child_process'

const PORT = process.env.MOCK_PORT ?? '8099'
const children = [
  spawn(process.execPath, ['dev/mock-server.mjs', PORT], { stdio: 'inherit' }),
  spawn(process.execPath, ['node_modules/vite/bin/vite.js'], {
    stdio: 'inherit',
    env: { ...process.env, CITYMIND_BACKEND: `http://127.0.0.1:${PORT}` },
  }),
]
const stop = () => children.forEach((child) => child.kill())
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
children.forEach((child) => child.on('exit', stop))
