import { computed, onMounted, ref, shallowRef } from 'vue'
import { ApiError, isAbort, toApiError } from '@/api/errors'
import { type Job, jobs } from '@/api/jobs'
import { models } from '@/api/models'
import type { ModelPart, ModelView, ModelsView } from '@/api/types'
import { useConfirm } from '@/stores/confirm'
import { useJobs } from '@/stores/jobs'
import { useSession } from '@/stores/session'
import { useStatus } from '@/stores/status'
import { useToasts } from '@/stores/toasts'
import { bytes } from '@/text/format'
import { chosen, modelState, partLabel, pullsByModel, titleOf } from '@/text/models'
import { usePolling } from './polling'

/** The models with the jobs that fetch them, kept up to date, and what one can do with them. */
export function useModels() {
  const toasts = useToasts()
  const confirm = useConfirm()
  const session = useSession()
  const view = shallowRef<ModelsView | null>(null)
  const error = ref<ApiError | null>(null)
  const pulls = shallowRef(new Map<string, Job>())
  const busy = ref(false)

  async function load(): Promise<void> {
    try {
      const [now, fetching] = await Promise.all([models.view(), latestPulls()])
      view.value = now
      pulls.value = fetching
      error.value = null
    } catch (thrown) {
      if (!isAbort(thrown)) error.value = toApiError(thrown)
    }
  }

  /** Who may not see jobs sees no progress, but the models all the same. */
  async function latestPulls(): Promise<Map<string, Job>> {
    if (!session.may('jobs.list')) return pulls.value
    try {
      return pullsByModel((await models.pulls()).items)
    } catch {
      return pulls.value
    }
  }

  const job = (model: ModelView) => pulls.value.get(model.name)
  const state = (model: ModelView) => modelState(model, job(model))
  /** Why the last try to fetch it failed, as long as it is not there. */
  const failure = (model: ModelView) => {
    const last = job(model)
    return !model.available && last?.state === 'failed' ? (last.error ?? '下载失败。') : ''
  }
  const moving = computed(
    () => (view.value?.meaning?.waiting ?? 0) > 0 || (view.value?.models.some((m) => state(m) === 'pulling') ?? false),
  )
  onMounted(load)
  usePolling(load, () => moving.value)

  async function run(what: () => Promise<unknown>, failed?: (error: ApiError) => void): Promise<boolean> {
    busy.value = true
    try {
      await what()
      return true
    } catch (thrown) {
      const found = toApiError(thrown)
      if (failed) failed(found)
      else toasts.failure(found)
      return false
    } finally {
      busy.value = false
      await load()
      void useStatus().refresh()
    }
  }

  async function pull(model: ModelView): Promise<void> {
    const begun = await run(() => models.pull(model.name))
    if (!begun) return
    toasts.success(`开始下载“${model.title}”，可以离开本页`)
    void useJobs().refresh()
  }

  async function cancel(model: ModelView): Promise<void> {
    const own = job(model)
    if (!own) return
    const sure = await confirm.ask({
      title: `取消下载“${model.title}”？`,
      text: '已经下载的部分会留着，下次下载时接着来。',
      action: '取消下载',
      danger: true,
    })
    if (sure && (await run(() => jobs.cancel(own.id)))) toasts.success(`已取消下载“${model.title}”`)
  }

  /** Uses these models for a part from now on; what was used before can be had back. */
  async function choose(part: ModelPart, names: string[], said: string, model?: ModelView): Promise<void> {
    if (!view.value) return
    const before = chosen(view.value, part)
    const done = await run(() => models.use(part, names), (found) => refused(found, model))
    if (done) toasts.undoable(said, async () => void (await run(() => models.use(part, before))))
  }

  function refused(found: ApiError, model?: ModelView): void {
    const fetchable = model && !model.available && model.site === 'local' && session.may('models.pull')
    if (!fetchable) toasts.failure(found)
    else toasts.show(`${found.title}：${found.detail}`, { kind: 'error', action: { label: '下载', run: () => pull(model) } })
  }

  const inUse = (part: ModelPart) => (view.value ? chosen(view.value, part) : [])
  const others = (model: ModelView) => inUse(model.part).filter((name) => name !== model.name)

  const use = (model: ModelView) => choose(model.part, [model.name], `已启用“${model.title}”`, model)
  const useFirst = (model: ModelView) =>
    choose(model.part, [model.name, ...others(model)], `“${model.title}”现在是首选`, model)
  const useBehind = (model: ModelView) =>
    choose(model.part, [...others(model), model.name], `“${model.title}”现在是后备`, model)
  const stop = (model: ModelView) => choose(model.part, others(model), `已停用“${model.title}”`)

  async function useConfigured(part: ModelPart): Promise<void> {
    const before = inUse(part)
    const done = await run(() => models.useConfigured(part))
    const words = inUse(part).map((name) => (view.value ? titleOf(view.value, name) : name))
    if (done) {
      toasts.undoable(`${partLabel(part)}按配置：${words.join('、') || '不用模型'}`, async () => {
        await run(() => models.use(part, before))
      })
    }
  }

  async function remove(model: ModelView): Promise<void> {
    const sure = await confirm.ask({
      title: `删除“${model.title}”？`,
      text: `从本机删除模型文件${model.size ? `（${bytes(model.size)}）` : ''}。要再用时需重新下载。`,
      action: '删除模型',
      danger: true,
    })
    if (sure && (await run(() => models.remove(model.name)))) toasts.success(`已删除“${model.title}”`)
  }

  return { view, error, busy, load, job, state, failure, pull, cancel, use, useFirst, useBehind, stop, useConfigured, remove }
}
