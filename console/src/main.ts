import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'
import { useOperator } from './stores/operator'

const app = createApp(App)
app.use(createPinia())
useOperator().install()
app.use(router)
app.mount('#app')
