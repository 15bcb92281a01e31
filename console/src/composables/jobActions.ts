import { type Job, jobs } from '@/api/jobs'
import { toApiError } from '@/api/errors'
import { useConfirm } from '@/stores/confirm'
import { useJobs } from '@/stores/jobs'
import { useSession } from '@/stores/session'
import { useToasts } from '@/stores/toasts'

/** What one can do with a job, here and in the list. */
export function useJobActions(after: () => void) {
  const toasts = useToasts()
  const confirm = useConfirm()
  const session = useSession()

  const canCancel = (job: Job) =>
    session.may('jobs.cancel') && !job.cancelling && (job.state === 'queued' || job.state === 'running')
  const canRetry = (job: Job) =>
    session.may('jobs.retry') &&
    (job.state === 'failed' || job.state === 'cancelled' || (job.state === 'queued' && job.attempts > 0))

  async function run(what: () => Promise<unknown>, done: string): Promise<void> {
    try {
      await what()
      toasts.success(done)
    } catch (thrown) {
      toasts.failure(toApiError(thrown))
    }
    void useJobs().refresh()
    after()
  }

  async function cancel(job: Job): Promise<void> {
    const sure = await confirm.ask({
      title: `取消“${job.title}”？`,
      text: '排队的立即取消，执行中的会停下来。已经保存的部分不会撤销；之后可以重试，从保存的进度继续。',
      action: '取消作业',
      danger: true,
    })
    if (sure) await run(() => jobs.cancel(job.id), `已要求取消“${job.title}”`)
  }

  const retry = (job: Job) => run(() => jobs.retry(job.id), `“${job.title}”已重新排队`)

  return { canCancel, canRetry, cancel, retry }
}
