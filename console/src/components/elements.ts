// The parts of Element Plus that the management pages use, with their styles. Only lazily loaded pages import this.
import 'element-plus/es/components/checkbox/style/css'
import 'element-plus/es/components/date-picker/style/css'
import 'element-plus/es/components/option/style/css'
import 'element-plus/es/components/pagination/style/css'
import 'element-plus/es/components/popover/style/css'
import 'element-plus/es/components/select/style/css'

export { ElCheckbox, ElConfigProvider, ElDatePicker, ElOption, ElPagination, ElPopover, ElSelect } from 'element-plus'
