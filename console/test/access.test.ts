import { describe, expect, it } from 'vitest'
import { changesOf, detailText } from '@/text/audit'
import { browserName } from '@/text/agent'
import { jobShare, jobStateText, jobTime, whenText } from '@/text/jobs'
import { keyState } from '@/text/keys'
import { isStrong, passwordRules } from '@/text/password'
import { ownPath } from '@/text/path'
import { ROLES, accessText, departmentPath, departmentTree, rolesText, sameAccess, within } from '@/text/people'

describe('where signing in leads', () => {
  it('is a path of the console', () => {
    expect(ownPath('/audit?effects=true#x')).toBe('/audit?effects=true#x')
    expect(ownPath(['/jobs', '/x'])).toBe('/jobs')
  })
  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '', undefined, null, '/\t/evil.example', '/a\\b'])(
    'is never %j',
    (to) => expect(ownPath(to)).toBe('/'),
  )
  it('is not signing in again', () => {
    expect(ownPath('/sign-in?to=/sign-in')).toBe('/')
    expect(ownPath('/setup#secret')).toBe('/')
    expect(ownPath('/setups')).toBe('/setups')
  })
})

describe('password rules', () => {
  it.each([
    ['short', 'zhang', false],
    ['九个字符九个字符九', 'zhang', false],
    ['十个字符十个字符十个', 'zhang', true],
    ['PassWord123', 'zhang', false],
    ['aaaaaaaaaaaa', 'zhang', false],
    ['my-Zhang-2026', 'zhang', false],
    ['my-zh-pass-word', 'zh', true],
    ['长'.repeat(200), 'zhang', false],
  ])('%s for %s: %s', (password, login, strong) => expect(isStrong(password, login)).toBe(strong))
  it('are not kept by nothing', () => expect(passwordRules('', '').some((r) => r.kept)).toBe(false))
})

const departments = [
  { id: 'c', name: '科', parent: 'b' },
  { id: 'a', name: '局', parent: null },
  { id: 'b', name: '处', parent: 'a' },
  { id: 'x', name: '孤', parent: 'gone' },
]

describe('departments', () => {
  it('are a tree, in order, and none is lost', () => {
    expect(departmentTree(departments).map((b) => [b.department.id, b.depth, b.below])).toEqual([
      ['x', 0, 0],
      ['a', 0, 2],
      ['b', 1, 1],
      ['c', 2, 0],
    ])
  })
  it('are named with what is above them', () => {
    expect(departmentPath(departments, 'c')).toBe('局 / 处 / 科')
    expect(departmentPath(departments, 'gone')).toBe('gone')
    expect(departmentPath([{ id: 'r', name: '环', parent: 'r' }], 'r')).toBe('环')
  })
  it('hold what is under them', () => expect([...within(departments, 'b')].sort()).toEqual(['b', 'c']))
})

describe('who may', () => {
  it('is told in words', () => {
    expect(accessText({ kind: 'public' })).toBe('所有人，无需登录')
    expect(accessText({ kind: 'some', roles: ['leader', 'clerk'], departments: ['c'] }, departments)).toBe(
      '窗口人员、领导、局 / 处 / 科',
    )
    expect(accessText({ kind: 'some', roles: ROLES.filter((r) => r !== 'business') })).toBe('全体工作人员、市民')
    expect(accessText({ kind: 'some', roles: [], departments: [] })).toBe('仅管理员')
    expect(rolesText(['unknown', 'clerk'])).toBe('窗口人员、unknown')
  })
  it('is the same in any order', () => {
    expect(sameAccess({ kind: 'some', roles: ['leader', 'clerk'] }, { kind: 'some', roles: ['clerk', 'leader'], departments: [] })).toBe(true)
    expect(sameAccess({ kind: 'some', roles: [] }, { kind: 'signed_in' })).toBe(false)
  })
})

describe('the audit log', () => {
  it('pairs what was with what is', () => {
    const { changes, rest } = changesOf({ login: 'zhang', roles_before: 'clerk', roles_after: 'clerk expert', after: 'null', before: '{"kind":"public"}' })
    expect(changes).toEqual([
      { name: 'roles', before: 'clerk', after: 'clerk expert' },
      { name: '', before: '{"kind":"public"}', after: 'null' },
    ])
    expect(rest).toEqual([['login', 'zhang']])
    expect(detailText('roles', 'clerk expert')).toBe('窗口人员、业务专家')
    expect(detailText('', '{"kind":"public"}')).toBe('所有人，无需登录')
    expect(detailText('', 'null')).toBe('默认')
    expect(detailText('', '{broken')).toBe('{broken')
  })
})

describe('keys, browsers and jobs', () => {
  it('tell how they stand', () => {
    const now = new Date('2026-11-24T12:00:00+08:00')
    expect(keyState({ revoked_at: null, expires_at: '2026-11-24T11:59:59+08:00' }, now)).toBe('expired')
    expect(keyState({ revoked_at: '2026-01-01T00:00:00+08:00', expires_at: null }, now)).toBe('revoked')
    expect(keyState({ revoked_at: null, expires_at: null }, now)).toBe('active')
    expect(browserName('Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit Chrome/120 Safari/537 Edg/120')).toBe('Edge（Windows）')
    expect(browserName('')).toBe('未知程序')
    expect(jobShare({ state: 'running', progress: { done: 3, total: 0, message: '' } })).toBeNull()
    expect(jobShare({ state: 'running', progress: { done: 9, total: 6, message: '' } })).toBe(1)
    expect(jobStateText({ state: 'queued', cancelling: false, attempts: 0, run_at: '2026-11-24T13:00:00+08:00' }, now)).toBe('未到时间')
    expect(jobTime({ started_at: '2026-11-24T09:00:00+08:00' }, now)).toBe('3 小时 0 分钟')
    expect([{ every_minutes: 60 }, { every_minutes: 90 }, { daily: { at: '03:30' } }, { weekly: { weekday: 7, at: '04:00' } }].map(whenText)).toEqual([
      '每小时',
      '每 90 分钟',
      '每天 03:30',
      '每周日 04:00',
    ])
  })
})
