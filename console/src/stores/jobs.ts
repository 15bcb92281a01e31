import { defineStore } from 'pinia'
import { ref } from 'vue'
import { type Job, jobs } from '@/api/jobs'
import { useSession } from './session'

/** Jobs at work, for the top bar. Watched only by those who may see them. */
export const useJobs = defineStore('jobs', () => {
  const running = ref<Job[]>([])
  let timer = 0

  async function refresh(): Promise<void> {
    clearTimeout(timer)
    if (useSession().may('jobs.list')) {
      try {
        // Imports stand in the top bar by themselves, with their own page.
        running.value = (await jobs.running()).items.filter((job) => !job.kind.startsWith('knowledge.import'))
      } catch {
        // The page of jobs shows errors; the top bar merely stays as it was.
      }
    } else running.value = []
    timer = window.setTimeout(() => void refresh(), running.value.length > 0 ? 2_000 : 20_000)
  }

  return { running, refresh }
})
