import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'
import { useSession } from './stores/session'

const app = createApp(App)
app.use(createPinia())
useSession().install()
app.use(router)
app.mount('#app')
