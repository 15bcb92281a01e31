import type { Job } from '@/api/jobs'
import type { MeaningState, ModelPart, ModelView, ModelsView, Rung, Status } from '@/api/types'
import { count } from './format'
import { jobShare } from './jobs'
import { modelLabel } from './labels'

const PART: Record<ModelPart, string> = { chat: '组织语言', embedding: '按意思检索', rerank: '重新排序' }
const HEALTH: Record<Rung['health'], string> = { open: '正常', resting: '暂停使用', on_trial: '待试用' }

const label = (table: Record<string, string>, value: string) => table[value] ?? value

export const MODEL_PARTS = Object.keys(PART) as ModelPart[]
export const partLabel = (value: string) => label(PART, value)
export const siteLabel = (value: string) => (value === 'local' ? '本机' : value === 'remote' ? '远程' : value)

/** Absent, being fetched, here, chosen but not to be opened, or at work. */
export type ModelState = 'absent' | 'pulling' | 'ready' | 'broken' | 'used'
const STATE: Record<ModelState, string> = {
  absent: '未下载',
  pulling: '下载中',
  ready: '可用',
  broken: '启用失败',
  used: '使用中',
}

/** The state of a model, given the job that fetches it, if there is one. */
export function modelState(model: ModelView, job?: Pick<Job, 'state'>): ModelState {
  if (job && isOpen(job)) return 'pulling'
  // Chosen and not there yet: it is used as soon as it has come.
  if (model.fault) return model.available ? 'broken' : 'absent'
  if (model.place > 0) return 'used'
  return model.available ? 'ready' : 'absent'
}

/** The state in words; of one that is chosen but not there, that; of chat models in use, which one is asked first. */
export function modelStateText(model: ModelView, state: ModelState): string {
  if (state === 'used' && model.part === 'chat') return model.place === 1 ? '使用中·首选' : `使用中·后备 ${model.place - 1}`
  if (state === 'absent' && model.place > 0) return `${STATE.absent}·已选用`
  return STATE[state]
}

const isOpen = (job: Pick<Job, 'state'>) => job.state === 'queued' || job.state === 'running'

/** The latest job per model. */
export function pullsByModel(jobs: Job[]): Map<string, Job> {
  const found = new Map<string, Job>()
  for (const job of jobs) {
    const name = (job.input as { name?: unknown } | null)?.name
    if (typeof name !== 'string') continue
    const known = found.get(name)
    if (!known || new Date(job.created_at) > new Date(known.created_at)) found.set(name, job)
  }
  return found
}

/** “下载 41%”: the steps of such a job are shares, so that they say nothing as numbers. */
export function pullText(job: Pick<Job, 'state' | 'progress' | 'cancelling'>): string {
  if (job.cancelling) return '正在取消'
  if (job.state === 'queued') return '排队'
  const share = jobShare(job)
  return [job.progress.message || '准备', share === null ? '' : `${Math.floor(share * 100)}%`].filter(Boolean).join(' ')
}

/** What is chosen for a part, the best first. */
export function chosen(view: ModelsView, part: ModelPart): string[] {
  const those = view.models.filter((m) => m.part === part && m.place > 0)
  return those.sort((a, b) => a.place - b.place).map((m) => m.name)
}

/** The name for people of a model that may have left the list. */
export const titleOf = (view: ModelsView, name: string) => view.models.find((m) => m.name === name)?.title ?? name

export function healthText(rung: Pick<Rung, 'health' | 'rests_for'>): string {
  const rests = rung.health === 'resting' && rung.rests_for ? `，${rung.rests_for} 秒后再试` : ''
  return label(HEALTH, rung.health) + rests
}

/** How many clauses have their vector, out of how many. Clauses of the same text wait as one, so this is at least so. */
export function embedded({ clauses, waiting }: Pick<MeaningState, 'clauses' | 'waiting'>): { done: number; total: number } {
  return { done: Math.max(0, clauses - waiting), total: clauses }
}

export const waitingText = (waiting: number) => `正在为 ${count(waiting)} 个条款计算向量`

/** What the top bar says of the models. Amber: data leaves the house, or not everything is found by meaning yet. */
export function modelChip(status: Status): { tone: 'own' | 'caution'; text: string; note: string; title: string } {
  const { mode, chat, embedder, waiting } = status.model
  const { documents, clauses } = status.knowledge
  const note = waiting ? waitingText(waiting) : ''
  const title = [
    modelLabel(mode) + (chat ? `（${chat}）` : ''),
    embedder ? `按意思和字词检索（${embedder}）` : '按字词检索',
    note,
    `已收录 ${count(documents)} 份文件、${count(clauses)} 条条款`,
    mode === 'remote' ? '问题会发送到远程模型服务' : '回答在本机组织',
  ]
  return { tone: mode === 'remote' || note ? 'caution' : 'own', text: modelLabel(mode), note, title: title.filter(Boolean).join('，') + '。' }
}
