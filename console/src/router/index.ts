import { type RouteLocationNormalized, createRouter, createWebHistory } from 'vue-router'
import { IDENTITY } from '@/composables/navigation'
import AskPage from '@/pages/AskPage.vue'
import { useSession } from '@/stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    /** Rail entry that is lit while this route is shown. */
    rail?: RailName
    /** The part of the rail entry that is lit, where it isn't the page itself. */
    tab?: string
    /** For whoever is signed in; with names, for whoever may use one of these capabilities. */
    needs?: true | string[]
  }
}

export type RailName = 'ask' | 'services' | 'cases' | 'knowledge' | 'import' | 'search' | 'identity' | 'audit' | 'jobs' | 'models'

export const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    { path: '/', name: 'home', component: AskPage, meta: { title: '问答', rail: 'ask' } },
    { path: '/ask/:session?', name: 'ask', component: AskPage, meta: { title: '问答', rail: 'ask' } },
    {
      path: '/knowledge',
      component: () => import('@/pages/ListFrame.vue'),
      children: [
        {
          path: '',
          name: 'knowledge',
          component: () => import('@/pages/KnowledgePage.vue'),
          meta: { title: '知识', rail: 'knowledge' },
        },
        {
          path: 'import',
          name: 'imports',
          component: () => import('@/pages/ImportsPage.vue'),
          meta: { title: '导入', rail: 'import', needs: ['knowledge.upload'] },
        },
        {
          path: 'import/:id',
          name: 'import',
          component: () => import('@/pages/ImportPage.vue'),
          props: true,
          meta: { title: '导入结果', rail: 'import', needs: ['knowledge.import_detail'] },
        },
        {
          path: 'search',
          name: 'search',
          component: () => import('@/pages/SearchPage.vue'),
          meta: { title: '检索测试', rail: 'search' },
        },
      ],
    },
    {
      path: '/knowledge/documents/:id',
      name: 'document',
      component: () => import('@/pages/ReaderPage.vue'),
      props: true,
      meta: { title: '原文', rail: 'knowledge' },
    },
    {
      path: '/knowledge/documents/:id/form',
      name: 'form',
      component: () => import('@/pages/ComposePage.vue'),
      props: true,
      meta: { title: '编辑内容', rail: 'knowledge', needs: ['knowledge.compose'] },
    },
    {
      path: '/knowledge/new/:kind(policy|guide|walkthrough|faq|primer)',
      name: 'compose',
      component: () => import('@/pages/ComposePage.vue'),
      props: true,
      meta: { title: '新建', rail: 'knowledge', needs: ['knowledge.compose'] },
    },
    {
      path: '/knowledge/compare',
      name: 'compare',
      component: () => import('@/pages/ComparePage.vue'),
      meta: { title: '版本比较', rail: 'knowledge' },
    },
    {
      path: '/services',
      component: () => import('@/pages/ListFrame.vue'),
      children: [
        {
          path: '',
          name: 'services',
          component: () => import('@/pages/service/ServicesPage.vue'),
          meta: { title: '办事', rail: 'services' },
        },
      ],
    },
    {
      path: '/services/:id',
      name: 'service',
      component: () => import('@/pages/service/ServicePage.vue'),
      props: true,
      meta: { title: '事项', rail: 'services' },
    },
    {
      path: '/cases',
      component: () => import('@/pages/cases/CasesFrame.vue'),
      meta: { rail: 'cases' },
      children: [
        {
          path: '',
          name: 'cases',
          component: () => import('@/pages/cases/CaseDeskPage.vue'),
          meta: { title: '办件台', needs: ['cases.list'] },
        },
        {
          path: 'mine/:id?',
          name: 'my-cases',
          component: () => import('@/pages/cases/MyCasesPage.vue'),
          props: true,
          meta: { title: '我的办件', tab: '/cases/mine', needs: ['cases.mine'] },
        },
      ],
    },
    { path: '/sign-in', name: 'sign-in', component: () => import('@/pages/SignInPage.vue'), meta: { title: '登录' } },
    { path: '/setup', name: 'setup', component: () => import('@/pages/LinkPage.vue'), meta: { title: '首次设置' } },
    { path: '/password', name: 'password', component: () => import('@/pages/LinkPage.vue'), meta: { title: '设置密码' } },
    {
      path: '/account',
      name: 'account',
      component: () => import('@/pages/AccountPage.vue'),
      meta: { title: '我的账号', needs: true },
    },
    {
      path: '/identity',
      component: () => import('@/pages/identity/IdentityFrame.vue'),
      meta: { title: '身份', rail: 'identity', needs: IDENTITY.map((tab) => tab.needs) },
      children: [
        { path: '', name: 'identity', component: () => import('@/pages/identity/FirstTab.vue') },
        {
          path: 'users',
          name: 'users',
          component: () => import('@/pages/identity/UsersPage.vue'),
          meta: { title: '账号', needs: ['users.list'] },
        },
        {
          path: 'departments',
          name: 'departments',
          component: () => import('@/pages/identity/DepartmentsPage.vue'),
          meta: { title: '部门', needs: ['departments.list'] },
        },
        {
          path: 'keys',
          name: 'keys',
          component: () => import('@/pages/identity/KeysPage.vue'),
          meta: { title: '密钥', needs: ['keys.list'] },
        },
        {
          path: 'permissions',
          name: 'permissions',
          component: () => import('@/pages/identity/PermissionsPage.vue'),
          meta: { title: '权限', needs: ['permissions.list'] },
        },
      ],
    },
    {
      path: '/audit',
      component: () => import('@/pages/ListFrame.vue'),
      children: [
        {
          path: '',
          name: 'audit',
          component: () => import('@/pages/AuditPage.vue'),
          meta: { title: '审计', rail: 'audit', needs: ['audit.search'] },
        },
      ],
    },
    {
      path: '/models',
      component: () => import('@/pages/ListFrame.vue'),
      children: [
        {
          path: '',
          name: 'models',
          component: () => import('@/pages/ModelsPage.vue'),
          meta: { title: '模型', rail: 'models', needs: ['models.status'] },
        },
      ],
    },
    {
      path: '/traces/:id',
      name: 'trace',
      component: () => import('@/pages/TracePage.vue'),
      props: true,
      meta: { title: '回答的过程', rail: 'ask' },
    },
    {
      path: '/jobs',
      component: () => import('@/pages/jobs/JobsFrame.vue'),
      meta: { rail: 'jobs' },
      children: [
        {
          path: '',
          name: 'jobs',
          component: () => import('@/pages/jobs/JobsPage.vue'),
          meta: { title: '作业', needs: ['jobs.list'] },
        },
        {
          path: 'schedules',
          name: 'schedules',
          component: () => import('@/pages/jobs/SchedulesPage.vue'),
          meta: { title: '计划', needs: ['jobs.schedules'] },
        },
        {
          path: 'events',
          name: 'events',
          component: () => import('@/pages/jobs/EventsPage.vue'),
          meta: { title: '事件', needs: ['events.deliveries'] },
        },
        {
          path: ':id',
          name: 'job',
          component: () => import('@/pages/jobs/JobPage.vue'),
          props: true,
          meta: { title: '作业详情', tab: '/jobs', needs: ['jobs.get'] },
        },
      ],
    },
    {
      path: '/:anything(.*)*',
      name: 'not-found',
      component: () => import('@/pages/NotFoundPage.vue'),
      meta: { title: '没有这个页面' },
    },
  ],
})

// Whoever is anonymous signs in and comes back. Whoever may not sees why: the app shows that in the page's place.
router.beforeEach(async (to) => {
  if (!to.meta.needs) return true
  const session = useSession()
  await session.known()
  if (session.me !== null && !session.signedIn && !permitted(to)) return { name: 'sign-in', query: { to: to.fullPath } }
  return true
})

/** Whether who is here now may see the page. */
export function permitted(to: RouteLocationNormalized): boolean {
  const session = useSession()
  const needs = to.meta.needs
  // While the server can't be reached, the page itself says so.
  if (!needs || session.me === null) return true
  return needs === true ? session.signedIn : needs.some(session.may)
}

router.afterEach((to) => {
  document.title = to.meta.title ? `${to.meta.title} · 城智` : '城智'
})
