import { describe, expect, it } from 'vitest'
import type { Job } from '@/api/jobs'
import type { ModelView, ModelsView, Rung, Status } from '@/api/types'
import { bytes } from '@/text/format'
import { chosen, embedded, healthText, modelChip, modelState, modelStateText, pullText, pullsByModel, titleOf } from '@/text/models'

const model = (more: Partial<ModelView>): ModelView => ({
  name: 'm',
  title: '模型',
  part: 'chat',
  site: 'local',
  available: true,
  place: 0,
  fault: null,
  size: 1,
  sha256: null,
  licence: null,
  notes: null,
  source: null,
  ...more,
})
const job = (more: Partial<Job>) =>
  ({ id: 'j', state: 'running', cancelling: false, input: { name: 'm' }, created_at: '2026-01-01T00:00:00Z', progress: { done: 0, total: 0, message: '' }, ...more }) as Job
const status = (model: Status['model']) => ({ model, knowledge: { documents: 59, clauses: 999 } }) as Status

describe('models', () => {
  it('say whether they are there, being fetched, at work, or chosen in vain', () => {
    const words = (m: ModelView, j?: Job) => modelStateText(m, modelState(m, j))
    expect(words(model({ available: false }))).toBe('未下载')
    expect(words(model({ available: false, place: 1, fault: '还没有下载' }))).toBe('未下载·已选用')
    expect(words(model({ available: false, place: 1, fault: '还没有下载' }), job({}))).toBe('下载中')
    expect(words(model({ available: false }), job({ state: 'failed' }))).toBe('未下载')
    expect(words(model({}))).toBe('可用')
    expect(words(model({ place: 1, fault: '已损坏' }))).toBe('启用失败')
    expect(words(model({ place: 1 }))).toBe('使用中·首选')
    expect(words(model({ place: 3 }))).toBe('使用中·后备 2')
    expect(words(model({ place: 1, part: 'embedding' }))).toBe('使用中')
  })

  it('are known by the latest job that fetched them, in whatever order the jobs come', () => {
    const early = job({ id: 'early' })
    const late = job({ id: 'late', created_at: '2026-01-02T00:00:00Z' })
    for (const jobs of [[early, late], [late, early]]) expect(pullsByModel(jobs).get('m')?.id).toBe('late')
    expect(pullsByModel([job({ input: null })]).size).toBe(0)
  })

  it('tell how far they have come', () => {
    expect(pullText(job({ progress: { done: 416, total: 1000, message: '下载' } }))).toBe('下载 41%')
    expect(pullText(job({}))).toBe('准备')
    expect(pullText(job({ state: 'queued' }))).toBe('排队')
    expect(pullText(job({ cancelling: true }))).toBe('正在取消')
    expect(embedded({ clauses: 100, waiting: 30 })).toEqual({ done: 70, total: 100 })
    expect(embedded({ clauses: 0, waiting: 3 })).toEqual({ done: 0, total: 0 })
    expect(bytes(1_117_320_768)).toBe('1.0 GB')
  })

  it('are listed per part in the order in which they are asked', () => {
    const view = { models: [model({ name: 'b', place: 2 }), model({ name: 'e', part: 'embedding', place: 1 }), model({ name: 'a', place: 1 }), model({ name: 'c' })] } as ModelsView
    expect(chosen(view, 'chat')).toEqual(['a', 'b'])
    expect(chosen(view, 'rerank')).toEqual([])
    expect(titleOf(view, 'gone')).toBe('gone')
  })

  it('say how long they rest', () => {
    const rung = (health: Rung['health'], rests_for: number | null) => healthText({ health, rests_for })
    expect(rung('resting', 24)).toBe('暂停使用，24 秒后再试')
    expect(rung('resting', null)).toBe('暂停使用')
    expect(rung('open', null)).toBe('正常')
  })

  it('colour the top bar: green at home and ready, amber where data leaves or clauses wait', () => {
    const none = modelChip(status({ mode: 'none', chat: null, embedder: null, waiting: null }))
    expect(none).toMatchObject({ tone: 'own', text: '无模型', note: '' })
    expect(none.title).toContain('按字词检索')
    expect(modelChip(status({ mode: 'local', chat: 'q', embedder: 'e', waiting: 0 }))).toMatchObject({ tone: 'own', text: '本地模型', note: '' })
    expect(modelChip(status({ mode: 'none', chat: null, embedder: 'e', waiting: 1234 }))).toMatchObject({ tone: 'caution', note: '正在为 1,234 个条款计算向量' })
    const remote = modelChip(status({ mode: 'remote', chat: 'q', embedder: null, waiting: null }))
    expect(remote.tone).toBe('caution')
    expect(remote.title).toContain('问题会发送到远程模型服务')
  })
})
