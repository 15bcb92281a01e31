import { computed, ref } from 'vue'
import { administration } from '@/api/administration'
import { type ApiError, toApiError } from '@/api/errors'
import type { Department } from '@/api/types'
import type { Choice } from '@/components/CheckGroup.vue'
import { departmentPath, departmentTree } from '@/text/people'

/** All departments, as names, as a tree, and as boxes to tick. */
export function useDepartmentList() {
  const departments = ref<Department[]>([])
  const loaded = ref(false)
  const error = ref<ApiError | null>(null)

  async function load(): Promise<void> {
    try {
      departments.value = await administration.departments()
      error.value = null
      loaded.value = true
    } catch (thrown) {
      error.value = toApiError(thrown)
    }
  }
  void load()

  const tree = computed(() => departmentTree(departments.value))
  const choices = computed((): Choice[] =>
    tree.value.map(({ department, depth }) => ({ value: department.id, label: department.name, depth })),
  )
  const path = (id: string) => departmentPath(departments.value, id)
  return { departments, loaded, error, load, tree, choices, path }
}
