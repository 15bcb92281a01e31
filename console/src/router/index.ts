import { createRouter, createWebHistory } from 'vue-router'
import AskPage from '@/pages/AskPage.vue'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    /** Rail entry that is lit while this route is shown. */
    rail?: RailName
  }
}

export type RailName = 'ask' | 'knowledge' | 'import' | 'search'

export const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    { path: '/', name: 'home', component: AskPage, meta: { title: '问答', rail: 'ask' } },
    { path: '/ask/:session?', name: 'ask', component: AskPage, meta: { title: '问答', rail: 'ask' } },
    {
      path: '/knowledge',
      component: () => import('@/pages/KnowledgeFrame.vue'),
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
          meta: { title: '导入', rail: 'import' },
        },
        {
          path: 'import/:id',
          name: 'import',
          component: () => import('@/pages/ImportPage.vue'),
          props: true,
          meta: { title: '导入结果', rail: 'import' },
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
      path: '/:anything(.*)*',
      name: 'not-found',
      component: () => import('@/pages/NotFoundPage.vue'),
      meta: { title: '没有这个页面' },
    },
  ],
})

router.afterEach((to) => {
  document.title = to.meta.title ? `${to.meta.title} · 城智` : '城智'
})
