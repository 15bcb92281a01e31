// Believable data for the mock server. Everything here is made up; the city does not exist.

const LETTERS = ['一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '十一', '十二', '十三', '十四', '十五', '十六']

/** Writes a document from chapters of articles; every clause knows its code point offsets. */
function write(meta, chapters) {
  const body = []
  const outline = []
  let text = ''
  let article = 0
  const add = (kind, label, path, words) => {
    const start = [...text].length
    text += words
    body.push({ clause: body.length + 1, kind, label, path, start, end: [...text].length, text: words })
    text += '\n'
  }
  if (meta.preface) add('front', '', [], meta.preface)
  chapters.forEach(([name, articles], i) => {
    const title = name.startsWith('附') ? name : `第${LETTERS[i]}章 ${name}`
    outline.push({ title, level: 1, clause: body.length + 1 })
    for (const words of articles) {
      if (words.startsWith('|')) add('table', '', [title], words)
      else if (name.startsWith('附')) add('annex', '', [title], words)
      else {
        const label = `第${LETTERS[article++]}条`
        add('article', label, [title], `${label} ${words}`)
      }
    }
  })
  return finish(meta, body, outline, text)
}

function writeFaq(meta, pairs) {
  const body = []
  const outline = []
  let text = ''
  pairs.forEach(([question, answer], i) => {
    const words = `问：${question}\n答：${answer}`
    const start = [...text].length
    text += words
    outline.push({ title: question, level: 1, clause: i + 1 })
    body.push({ clause: i + 1, kind: 'question', label: question, path: [], start, end: [...text].length, text: words })
    text += '\n'
  })
  return finish(meta, body, outline, text)
}

function finish(meta, body, outline, text) {
  const { preface, ...rest } = meta
  return {
    format: 'md',
    region: '云江市',
    space: '政务服务',
    effective_until: null,
    status: 'current',
    warnings: 0,
    notes: [],
    repeals: [],
    repealed_by: [],
    ...rest,
    clauses: body.length,
    characters: [...text].length,
    body,
    outline,
    text,
    source: {
      name: `${meta.title}.${meta.format ?? 'md'}`,
      bytes: Buffer.byteLength(text),
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    },
  }
}

const birth = write(
  {
    id: 'doc-birth',
    title: '云江市优化生育支持政策实施办法',
    kind: 'policy',
    issuer: '云江市卫生健康委员会',
    number: '云卫规〔2025〕3号',
    issued: '2025-05-20',
    effective_from: '2025-07-01',
    imported_at: '2026-11-20T09:12:00+08:00',
    preface: '各区县人民政府，市政府各部门：《云江市优化生育支持政策实施办法》已经市政府同意，现印发给你们，请认真贯彻执行。',
    repeals: [{ title: '云江市计划生育奖励扶助办法', number: '云卫规〔2016〕2号', document: 'doc-old-birth' }],
    notes: [{ clause: 6, message: '“出生后”没有写明起算的时刻，按出生之日计算。' }],
    warnings: 1,
  },
  [
    [
      '总则',
      [
        '为减轻家庭生育、养育负担，根据国家和省优化生育政策的有关规定，结合本市实际，制定本办法。',
        '本办法适用于夫妻一方具有本市户籍，且子女在本市办理出生登记的家庭。',
      ],
    ],
    [
      '补贴',
      [
        '符合本办法第二条规定，2025年1月1日以后生育二孩的家庭，发放一次性生育补贴5000元；生育三孩的家庭，发放一次性生育补贴10000元。',
        '二孩、三孩家庭另可申领育儿补贴，每孩每月500元，自子女出生当月起发放至满三周岁止。',
        '申领补贴应当提交下列材料：（一）夫妻双方身份证、户口簿；（二）子女出生医学证明；（三）申请人本人银行账户。通过数据共享可以核验的，不再要求提交。',
        '申请人应当在子女出生后十二个月内，通过“云江办”网站、手机应用或者户籍所在地街道（乡镇）便民服务中心提出申请。',
      ],
    ],
    [
      '办理',
      [
        '街道（乡镇）便民服务中心自受理之日起5个工作日内完成初审，区县卫生健康部门自收到初审意见之日起5个工作日内完成审核。',
        '补贴资金自审核通过之日起15个工作日内发放到申请人银行账户。',
      ],
    ],
    [
      '附表：补贴标准',
      [
        '| 类别 | 一次性生育补贴 | 育儿补贴 | 发放期限 |\n| --- | --- | --- | --- |\n| 二孩 | 5000元 | 每月500元 | 至满三周岁 |\n| 三孩 | 10000元 | 每月500元 | 至满三周岁 |',
      ],
    ],
  ],
)

const fund = write(
  {
    id: 'doc-fund',
    title: '云江市住房公积金提取管理办法',
    kind: 'policy',
    issuer: '云江市住房公积金管理中心',
    number: '云公积金规〔2024〕1号',
    issued: '2024-03-18',
    effective_from: '2024-05-01',
    effective_until: '2029-04-30',
    imported_at: '2026-11-20T09:12:04+08:00',
    format: 'docx',
  },
  [
    ['总则', ['为规范住房公积金提取管理，维护缴存职工合法权益，根据《住房公积金管理条例》，制定本办法。']],
    [
      '提取条件',
      [
        '职工连续足额缴存住房公积金满三个月，本人及配偶在本市行政区域内无自有住房且租赁住房的，可以提取夫妻双方住房公积金支付房租。',
        '租住公共租赁住房的，按照实际房租支出全额提取；租住商品住房且未提供租赁合同备案的，每人每月提取金额不超过1500元。',
        '购买、建造、翻建、大修自住住房，离休、退休，出境定居的，可以提取职工住房公积金账户内的存储余额。',
      ],
    ],
    [
      '办理程序',
      [
        '租房提取应当提供下列材料：（一）本人身份证；（二）无房证明，通过不动产登记信息共享核验的免予提交；（三）租住公共租赁住房的，提供租赁合同。',
        '职工可以通过公积金中心网上大厅、手机应用或者各营业网点申请，提取资金在3个工作日内划入本人账户。',
      ],
    ],
  ],
)

const faq = writeFaq(
  {
    id: 'doc-faq',
    title: '社会保险常见问答（2026年版）',
    kind: 'faq',
    issuer: '云江市人力资源和社会保障局',
    number: null,
    issued: '2026-01-15',
    effective_from: '2026-01-15',
    imported_at: '2026-11-21T10:02:00+08:00',
    format: 'html',
  },
  [
    ['灵活就业人员怎么参加养老保险？', '年满16周岁的灵活就业人员，可以持身份证到户籍地或者就业地街道便民服务中心办理参保登记，按月缴费。'],
    ['生育津贴怎么领取？', '用人单位为职工连续缴纳生育保险满九个月的，职工生育后由单位在“云江办”网站申报，津贴按照用人单位上年度职工月平均工资除以30乘以产假天数计算。'],
    ['失业保险金可以领多久？', '累计缴费满一年不足五年的，最长领取十二个月；满五年不足十年的，最长十八个月；十年以上的，最长二十四个月。'],
    ['社保卡丢了怎么办？', '先拨打12333挂失，再持身份证到任一社保卡服务网点补办，当场可以取卡。'],
  ],
)

const company = write(
  {
    id: 'doc-company',
    title: '云江市企业开办一件事办事指南',
    kind: 'guide',
    issuer: '云江市市场监督管理局',
    number: null,
    issued: '2026-02-01',
    effective_from: '2026-03-01',
    imported_at: '2026-11-21T10:05:00+08:00',
    space: '惠企服务',
  },
  [
    ['适用范围', ['在本市新设立的公司、非公司企业法人、个人独资企业、合伙企业，可以通过“企业开办一件事”一次申请办理营业执照、公章刻制、发票申领、社保登记和银行预约开户。']],
    [
      '申请材料',
      [
        '申请人应当提交：（一）公司章程；（二）股东身份证明；（三）法定代表人、董事、监事任职文件；（四）住所使用证明。',
        '| 事项 | 办理部门 | 时限 | 收费 |\n| --- | --- | --- | --- |\n| 营业执照 | 市场监管 | 0.5个工作日 | 免费 |\n| 公章刻制 | 公安 | 0.5个工作日 | 首套免费 |\n| 发票申领 | 税务 | 当日 | 免费 |',
      ],
    ],
    ['办理时限', ['材料齐全的，自受理之日起1个工作日内办结。']],
  ],
)

const oldBirth = write(
  {
    id: 'doc-old-birth',
    title: '云江市计划生育奖励扶助办法',
    kind: 'policy',
    issuer: '云江市卫生健康委员会',
    number: '云卫规〔2016〕2号',
    issued: '2016-04-01',
    effective_from: '2016-05-01',
    status: 'repealed',
    imported_at: '2026-11-20T09:13:00+08:00',
    repealed_by: [{ title: birth.title, number: birth.number, document: birth.id }],
  },
  [['总则', ['为落实计划生育奖励扶助制度，制定本办法。', '符合条件的农村独生子女父母，年满六十周岁后每人每月发放奖励扶助金80元。']]],
)

const house = write(
  {
    id: 'doc-talent',
    title: '云江市人才安居补贴管理办法',
    kind: 'policy',
    issuer: '云江市人力资源和社会保障局',
    number: '云人社规〔2026〕9号',
    issued: '2026-10-30',
    effective_from: '2027-01-01',
    status: 'upcoming',
    space: '惠企服务',
    imported_at: '2026-11-22T15:40:00+08:00',
  },
  [['补贴标准', ['全日制硕士研究生在本市就业并缴纳社会保险满六个月的，每月发放租房补贴1200元，最长三十六个月；博士研究生每月2000元。']]],
)

const TOPICS = ['医疗保险门诊共济保障', '城乡居民养老保险缴费', '困难群众临时救助', '老年人优待证办理', '机动车号牌指标', '义务教育入学登记', '城市绿化补偿', '小微企业贷款贴息', '高新技术企业认定奖励', '农村危房改造补助', '残疾人辅助器具补贴', '不动产登记提速', '居住证积分', '就业见习补贴', '创业担保贷款', '老旧小区加装电梯', '燃气安全检查', '二手车交易登记', '食品小作坊登记', '养老机构备案']
const FORMS = [['实施细则', 'policy'], ['办事指南', 'guide'], ['常见问答', 'faq'], ['政策解读', 'interpretation'], ['管理规定', 'law'], ['工作方案', 'other']]
const DISTRICTS = ['云江市', '临江区', '东湖区', '北山县']
const OFFICES = ['市医疗保障局', '市民政局', '市教育局', '市住房和城乡建设局', '市科学技术局', '市公安局']

const many = TOPICS.flatMap((topic, t) =>
  FORMS.map(([form, kind], f) => {
    const n = t * FORMS.length + f
    const region = DISTRICTS[n % 4]
    const year = 2019 + (n % 8)
    return write(
      {
        id: `doc-${n}`,
        title: `${region}${topic}${form}`,
        kind,
        format: ['md', 'docx', 'html', 'txt'][n % 4],
        issuer: `云江${OFFICES[n % OFFICES.length]}`,
        number: kind === 'policy' || kind === 'law' ? `云政规〔${year}〕${(n % 30) + 1}号` : null,
        region,
        space: n % 5 === 0 ? '惠企服务' : '政务服务',
        issued: `${year}-0${(n % 9) + 1}-1${n % 9}`,
        effective_from: n % 7 === 6 ? null : `${year}-${10 + (n % 3)}-01`,
        effective_until: n % 9 === 0 ? `${year + 5}-12-31` : null,
        status: n % 11 === 5 ? 'repealed' : n % 9 === 0 && year < 2021 ? 'expired' : 'current',
        warnings: n % 8 === 3 ? 2 : 0,
        imported_at: new Date(Date.UTC(2026, 10, 18, 1, n)).toISOString(),
      },
      [
        ['总则', [`为规范${topic}工作，结合${region}实际，制定本${form}。`, `本${form}适用于${region}行政区域内的${topic}。`]],
        ['条件和标准', [`申请${topic}的，应当具有${region}户籍或者有效居住证，并提交身份证明和申请表。`, '经办机构自受理之日起10个工作日内办结；情况复杂的，经批准可以延长5个工作日。']],
      ],
    )
  }),
)

export const documents = [birth, fund, faq, company, oldBirth, house, ...many]

export const EXAMPLES = [
  '我生二胎了，有没有政府给补贴的政策？',
  '租房子要提取公积金怎么办？',
  '灵活就业人员怎么参加养老保险？',
  '开一家小公司要准备哪些材料？',
  '失业保险金可以领多久？',
  '社保卡丢了怎么办？',
]

/** A document read from an uploaded text file, cut at headings and paragraphs. */
export function fromUpload(id, path, content, space) {
  const lines = content.split('\n').map((line) => line.trim()).filter(Boolean)
  const title = (lines[0] ?? path).replace(/^#+\s*/, '')
  const body = []
  const outline = []
  let text = ''
  let heading = null
  for (const line of lines.slice(1)) {
    const match = line.match(/^(#+)\s*(.*)$/)
    if (match) {
      heading = match[2]
      outline.push({ title: heading, level: match[1].length - 1 || 1, clause: body.length + 1 })
      continue
    }
    const start = [...text].length
    text += line
    body.push({ clause: body.length + 1, kind: 'paragraph', label: '', path: heading ? [heading] : [], start, end: [...text].length, text: line })
    text += '\n'
  }
  return finish(
    { id, title, kind: 'other', issuer: null, number: null, region: null, space, issued: null, effective_from: null, imported_at: new Date().toISOString(), format: /\.html?$/.test(path) ? 'html' : /\.txt$/.test(path) ? 'txt' : 'md' },
    body,
    outline,
    text,
  )
}
