// Answers for the mock server: a few that are written out, the rest picked by shared words, or refused.

export function tokens(text) {
  const words = new Set()
  for (const run of text.match(/[\u4e00-\u9fff]+|[a-zA-Z0-9]+/g) ?? []) {
    if (/[a-zA-Z0-9]/.test(run)) words.add(run)
    else for (let i = 0; i + 2 <= run.length; i++) words.add(run.slice(i, i + 2))
  }
  const synonyms = { 二胎: '二孩', 租房: '租赁住房', 公司: '企业' }
  for (const word of [...words]) if (synonyms[word]) words.add(synonyms[word])
  return [...words]
}

const codePoints = (text) => [...text].length

function cite(n, document, clauseNumber, quote) {
  const clause = document.body[clauseNumber - 1]
  const words = quote ?? clause.text
  const at = Math.max(0, clause.text.indexOf(words))
  const start = clause.start + codePoints(clause.text.slice(0, at))
  return {
    n,
    document: document.id,
    title: document.title,
    number: document.number,
    issuer: document.issuer,
    path: [...clause.path, clause.label].filter(Boolean).join(' › '),
    clause: clauseNumber,
    start,
    end: start + codePoints(words),
    quote: words,
    status: document.status,
    effective_from: document.effective_from,
    effective_until: document.effective_until,
  }
}

function answered(segments, points, citations, notices = []) {
  return { status: 'answered', answer: segments.map((s) => s.text).join('\n'), segments, points, citations, channels: [], notices }
}

const WRITTEN = [
  {
    when: /二胎|二孩|三孩|生育补贴/,
    build(find) {
      const d = find('doc-birth')
      return answered(
        [
          { text: '有。夫妻一方是云江市户籍、孩子在本市办理出生登记的家庭，可以申领生育方面的补贴。', citations: [1] },
          { text: '2025年1月1日以后生育二孩的，一次性发放生育补贴5000元；', citations: [2] },
          { text: '另外还可以申领育儿补贴，每孩每月500元，从出生当月发到满三周岁。', citations: [3] },
          { text: '请在孩子出生后十二个月内申请，网上、手机或者户籍所在地街道便民服务中心都可以办。', citations: [4] },
        ],
        [
          { kind: 'condition', label: '户籍', text: '夫妻一方具有本市户籍，且子女在本市办理出生登记', citation: 1 },
          { kind: 'amount', label: '一次性', text: '二孩5000元，三孩10000元', citation: 2 },
          { kind: 'amount', label: '按月', text: '每孩每月500元，至满三周岁', citation: 3 },
          { kind: 'material', label: '材料', text: '夫妻双方身份证、户口簿；子女出生医学证明；申请人本人银行账户', citation: 5 },
          { kind: 'channel', label: '渠道', text: '“云江办”网站、手机应用，或户籍所在地街道（乡镇）便民服务中心', citation: 4 },
          { kind: 'deadline', label: '时限', text: '子女出生后十二个月内提出申请', citation: 4 },
        ],
        [
          cite(1, d, 3, '夫妻一方具有本市户籍，且子女在本市办理出生登记的家庭'),
          cite(2, d, 4, '2025年1月1日以后生育二孩的家庭，发放一次性生育补贴5000元'),
          cite(3, d, 5, '每孩每月500元，自子女出生当月起发放至满三周岁止'),
          cite(4, d, 7, '应当在子女出生后十二个月内，通过“云江办”网站、手机应用或者户籍所在地街道（乡镇）便民服务中心提出申请'),
          cite(5, d, 6, '（一）夫妻双方身份证、户口簿；（二）子女出生医学证明；（三）申请人本人银行账户'),
        ],
      )
    },
  },
  {
    when: /公积金/,
    build(find) {
      const d = find('doc-fund')
      return answered(
        [
          { text: '在本市无自有住房、租房住，并且连续足额缴存满三个月的，可以提取公积金付房租。', citations: [1] },
          { text: '租公租房的按实际房租全额提取；租商品房且没有备案租赁合同的，每人每月最多提取1500元。', citations: [2] },
          { text: '网上大厅、手机应用或营业网点都能申请，3个工作日内到账。', citations: [3] },
        ],
        [
          { kind: 'condition', label: '缴存', text: '连续足额缴存满三个月，本人及配偶在本市无自有住房且租赁住房', citation: 1 },
          { kind: 'amount', label: '金额', text: '每人每月不超过1500元（商品住房、合同未备案）', citation: 2 },
          { kind: 'deadline', label: '到账', text: '3个工作日内划入本人账户', citation: 3 },
        ],
        [
          cite(1, d, 2, '职工连续足额缴存住房公积金满三个月，本人及配偶在本市行政区域内无自有住房且租赁住房的，可以提取夫妻双方住房公积金支付房租'),
          cite(2, d, 3),
          cite(3, d, 6, '职工可以通过公积金中心网上大厅、手机应用或者各营业网点申请，提取资金在3个工作日内划入本人账户'),
        ],
      )
    },
  },
  {
    when: /人才|租房补贴/,
    build(find) {
      const d = find('doc-talent')
      return answered(
        [{ text: '硕士研究生每月可领租房补贴1200元，博士研究生每月2000元，最长三十六个月。', citations: [1] }],
        [],
        [cite(1, d, 1)],
        ['该文件将于2027年1月1日起施行，现在还不能申请。'],
      )
    },
  },
]

export function answerFor(question, documents) {
  const find = (id) => documents.find((d) => d.id === id)
  for (const { when, build } of WRITTEN) {
    if (when.test(question)) return build(find)
  }
  const words = tokens(question)
  let best = null
  for (const document of documents) {
    if (document.status !== 'current') continue
    document.body.forEach((clause, i) => {
      const score = words.filter((w) => clause.text.includes(w)).length / Math.max(4, words.length)
      if (!best || score > best.score) best = { score, document, clause: i + 1 }
    })
  }
  if (!best || best.score < 0.5) {
    return {
      status: 'refused',
      answer: '已收录的文件里没有能回答这个问题的内容，为避免误导，不作答。',
      segments: [],
      points: [],
      citations: [],
      channels: [
        { name: '12345 政务服务便民热线', contact: '12345', note: '全天 24 小时' },
        { name: '云江市政务服务中心', contact: '0851-12345678', note: '工作日 9:00 至 17:00，江滨路 1 号' },
        { name: '“云江办”网站', contact: 'yunjiang.example.cn', note: '在线客服' },
      ],
      notices: [],
    }
  }
  const clause = best.document.body[best.clause - 1]
  const text = clause.text.replace(/^问：.*\n答：/, '').replace(/^第.{1,3}条 /, '')
  return answered([{ text, citations: [1] }], [], [cite(1, best.document, best.clause, text)])
}
