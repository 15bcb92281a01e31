import type { Problem } from './types'

/** What went wrong, in words that can be shown as they are. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly requestId: string | null

  constructor(problem: Partial<Problem> & { status: number }) {
    const title = problem.title ?? titleOf(problem.status)
    const detail = problem.detail ?? detailOf(problem.status)
    super(detail)
    this.name = 'ApiError'
    this.code = problem.code ?? `http_${problem.status}`
    this.status = problem.status
    this.title = title
    this.detail = detail
    this.requestId = problem.request_id ?? null
  }

  /** The server cannot be reached: nothing was answered at all. */
  static unreachable(): ApiError {
    return new ApiError({
      status: 0,
      code: 'unreachable',
      title: '连不上服务器',
      detail: '没有收到服务器的回应。请检查网络，或稍后再试。',
    })
  }

  static interrupted(): ApiError {
    return new ApiError({
      status: 0,
      code: 'interrupted',
      title: '连接中断',
      detail: '回答没有传完，连接就断开了。可以重试，已输入的文字还在。',
    })
  }

  static async fromResponse(response: Response): Promise<ApiError> {
    try {
      const problem = (await response.json()) as Partial<Problem>
      return new ApiError({ ...problem, status: problem.status ?? response.status })
    } catch {
      return new ApiError({ status: response.status })
    }
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

/** Any thrown thing as an ApiError, so that pages have one shape to show. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof TypeError) return ApiError.unreachable()
  return new ApiError({ status: 0, code: 'unexpected', title: '出了意外', detail: String(error) })
}

function titleOf(status: number): string {
  if (status === 404) return '没有找到'
  if (status === 401 || status === 403) return '没有权限'
  if (status === 413) return '内容太大'
  if (status === 429) return '请求太频繁'
  if (status >= 500) return '服务器出错'
  return '请求没有成功'
}

function detailOf(status: number): string {
  if (status === 404) return '这里的内容不存在，或者已经被删除。'
  if (status === 413) return '上传的内容超过了服务器允许的大小，请分批上传。'
  if (status === 429) return '请过一会儿再试。'
  if (status >= 500) return `服务器没有处理成功（状态 ${status}），请稍后再试；若一直如此，请联系管理员。`
  return `服务器返回了状态 ${status}。`
}
