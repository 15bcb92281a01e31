import { type Options, type Query, json, part, send, url } from './client'
import type {
  Access,
  CreatedKey,
  Department,
  Entry,
  Invited,
  KeyView,
  Link,
  LinkView,
  Me,
  NewKeyInput,
  NewUserInput,
  OpenSignIn,
  Page,
  PermissionView,
  RedeemInput,
  SpaceRule,
  User,
  UserChange,
  Verdict,
} from './types'

const post = <T>(path: string, body?: unknown, more?: Options) => json<T>(path, { method: 'POST', body, ...more })
const remove = (path: string) => send(path, { method: 'DELETE' }).then(() => undefined)

/** Signing in and out. Here a 401 is the answer, not a reason to ask for it. */
export const auth = {
  me: () => json<Me>('/auth/me', { background: true }),
  signIn: (login: string, password: string) => post<User>('/auth/sign-in', { login, password }, { background: true }),
  signOut: () => send('/auth/sign-out', { method: 'POST', background: true }).then(() => undefined),
  link: (secret: string) => post<LinkView>('/auth/link', { secret }, { background: true }),
  redeem: (input: RedeemInput) => post<User>('/auth/redeem', input, { background: true }),
  /** A 401 may mean that the present password is wrong. */
  changePassword: (present: string, now: string) =>
    post<unknown>('/account/password', { present, new: now }, { background: true }).then(() => undefined),
  signIns: (signal?: AbortSignal) => json<OpenSignIn[]>('/account/sign-ins', { signal }),
  endSignIn: (id: string) => remove(`/account/sign-ins/${part(id)}`),
}

/** Accounts, departments, keys, permissions, the audit log: what administrators see. */
export const administration = {
  users: (query: Query, signal?: AbortSignal) => json<Page<User>>('/users', { query, signal }),
  user: (id: string, signal?: AbortSignal) => json<User>(`/users/${part(id)}`, { signal }),
  createUser: (input: NewUserInput) => post<Invited>('/users', input),
  changeUser: (id: string, change: UserChange) => post<User>(`/users/${part(id)}`, change),
  userLink: (id: string) => post<Link>(`/users/${part(id)}/link`),
  signOutUser: (id: string) => post<User>(`/users/${part(id)}/sign-out`),

  departments: (signal?: AbortSignal) => json<Department[]>('/departments', { signal }),
  createDepartment: (name: string, parent: string | null) => post<Department>('/departments', { name, parent }),
  changeDepartment: (id: string, name: string, parent: string | null) =>
    post<Department>(`/departments/${part(id)}`, { name, parent }),
  removeDepartment: (id: string) => remove(`/departments/${part(id)}`),

  keys: (query: Query, signal?: AbortSignal) => json<Page<KeyView>>('/keys', { query, signal }),
  createKey: (input: NewKeyInput) => post<CreatedKey>('/keys', input),
  revokeKey: (id: string) => remove(`/keys/${part(id)}`),

  permissions: (signal?: AbortSignal) => json<PermissionView[]>('/permissions', { signal }),
  /** Without an access, what the capability's definition says counts again. */
  setPermission: (capability: string, access: Access | null) =>
    post<PermissionView>(`/permissions/${part(capability)}`, access ? { access } : {}),
  spaces: (signal?: AbortSignal) => json<SpaceRule[]>('/spaces', { signal }),
  setSpace: (space: string, access: Access | null) => post<SpaceRule[]>('/spaces', { space, ...(access ? { access } : {}) }),

  audit: (query: Query, signal?: AbortSignal) => json<Page<Entry>>('/audit', { query, signal }),
  verifyAudit: () => post<Verdict>('/audit/verify'),
  auditExportUrl: () => url('/audit/export'),
}
