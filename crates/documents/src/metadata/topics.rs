//! What a document is about: a small table of the fields of government work, by the words that tell them.

use super::View;
use crate::document::Heading;
use crate::page::Hint;

/// Topics of one document.
const MOST: usize = 3;

/// Field, topic, and words; a topic counts as often as its words stand in the title and the headings.
const TABLE: &[(&str, &str, &[&str])] = &[
    (
        "民生保障",
        "社会保险",
        &[
            "社会保险",
            "社保",
            "养老保险",
            "失业保险",
            "工伤保险",
            "企业年金",
            "退休",
        ],
    ),
    (
        "民生保障",
        "医疗保障",
        &[
            "医疗保障",
            "医疗保险",
            "医保",
            "生育保险",
            "门诊统筹",
            "大病保险",
            "医疗救助",
            "药品目录",
        ],
    ),
    ("民生保障", "住房公积金", &["公积金"]),
    (
        "民生保障",
        "住房与不动产",
        &[
            "住房保障",
            "保障性住房",
            "公租房",
            "廉租",
            "不动产",
            "房屋",
            "房地产",
            "物业",
            "商品房",
            "租赁住房",
            "棚户区",
        ],
    ),
    (
        "民生保障",
        "民政救助",
        &[
            "低保",
            "最低生活保障",
            "特困人员",
            "临时救助",
            "社会救助",
            "困境儿童",
            "孤儿",
            "流浪乞讨",
            "殡葬",
            "慈善",
        ],
    ),
    (
        "民生保障",
        "养老",
        &["养老服务", "老年人", "高龄", "养老机构", "敬老"],
    ),
    ("民生保障", "残疾人", &["残疾人", "残疾", "无障碍"]),
    (
        "民生保障",
        "退役军人",
        &[
            "退役军人",
            "退役士兵",
            "复员",
            "优抚",
            "烈士",
            "军人",
            "双拥",
        ],
    ),
    (
        "人口与家庭",
        "户籍",
        &["户籍", "户口", "落户", "居住证", "居民身份证", "流动人口"],
    ),
    (
        "人口与家庭",
        "婚育",
        &[
            "婚姻",
            "结婚",
            "生育",
            "托育",
            "计划生育",
            "收养",
            "妇女",
            "母婴",
        ],
    ),
    (
        "教育与文化",
        "教育",
        &[
            "教育",
            "学校",
            "学生",
            "幼儿园",
            "教师",
            "招生",
            "入学",
            "助学",
            "高校",
            "培训机构",
        ],
    ),
    (
        "教育与文化",
        "文化旅游",
        &[
            "文化",
            "旅游",
            "文物",
            "图书馆",
            "博物馆",
            "非物质文化遗产",
            "体育",
            "广播电视",
            "出版",
            "电影",
        ],
    ),
    (
        "就业与人才",
        "就业创业",
        &[
            "就业",
            "创业",
            "失业",
            "职业技能",
            "招聘",
            "技能人才",
            "职业培训",
        ],
    ),
    (
        "就业与人才",
        "劳动关系",
        &[
            "劳动合同",
            "劳动争议",
            "工资",
            "劳动者",
            "用人单位",
            "劳动保障",
            "加班",
            "工会",
        ],
    ),
    ("就业与人才", "人才", &["人才", "职称", "博士后", "专家"]),
    (
        "经济与市场",
        "税务",
        &[
            "税收",
            "纳税",
            "税务",
            "增值税",
            "所得税",
            "发票",
            "契税",
            "免税",
            "关税",
            "税",
        ],
    ),
    (
        "经济与市场",
        "市场主体",
        &[
            "市场主体",
            "企业登记",
            "个体工商户",
            "营业执照",
            "营商环境",
            "中小企业",
            "公司",
            "工商",
            "合伙企业",
            "外商投资",
            "破产",
        ],
    ),
    (
        "经济与市场",
        "市场监管",
        &[
            "产品质量",
            "食品安全",
            "食品",
            "药品",
            "计量",
            "标准化",
            "价格",
            "消费者",
            "广告",
            "反垄断",
            "不正当竞争",
            "知识产权",
            "商标",
            "专利",
            "特种设备",
        ],
    ),
    (
        "经济与市场",
        "金融",
        &[
            "银行",
            "金融",
            "证券",
            "贷款",
            "基金",
            "期货",
            "外汇",
            "票据",
            "信托",
            "典当",
            "保险公司",
            "国库券",
        ],
    ),
    (
        "经济与市场",
        "科技创新",
        &[
            "科技",
            "科学技术",
            "创新",
            "高新技术",
            "研发",
            "数字经济",
            "人工智能",
            "大数据",
        ],
    ),
    (
        "经济与市场",
        "工业与能源",
        &[
            "工业",
            "制造业",
            "电力",
            "能源",
            "煤炭",
            "节约能源",
            "新能源",
            "石油",
            "天然气",
            "燃气",
            "矿产",
            "稀土",
        ],
    ),
    (
        "经济与市场",
        "商贸",
        &[
            "商务",
            "外贸",
            "进出口",
            "对外贸易",
            "海关",
            "商品流通",
            "电子商务",
            "口岸",
        ],
    ),
    (
        "城乡与环境",
        "交通出行",
        &[
            "交通",
            "道路",
            "公路",
            "铁路",
            "机动车",
            "驾驶证",
            "公交",
            "港口",
            "航空",
            "停车",
            "出租汽车",
            "轨道",
            "水路运输",
            "船舶",
            "船员",
            "民用航空",
        ],
    ),
    (
        "城乡与环境",
        "生态环境",
        &[
            "环境保护",
            "生态",
            "污染",
            "大气",
            "水资源",
            "湿地",
            "固体废物",
            "垃圾",
            "噪声",
            "野生动物",
            "自然保护区",
            "河道",
            "水土保持",
            "林业",
            "森林",
        ],
    ),
    (
        "城乡与环境",
        "城乡建设",
        &[
            "城乡规划",
            "城市管理",
            "市容",
            "绿化",
            "建设工程",
            "建筑",
            "市政设施",
            "市政工程",
            "市政公用",
            "供水",
            "排水",
            "园林",
            "历史文化名城",
        ],
    ),
    (
        "城乡与环境",
        "农业农村",
        &[
            "农业",
            "农村",
            "农民",
            "乡村",
            "畜牧",
            "渔业",
            "种子",
            "农产品",
            "动物防疫",
            "粮食",
            "农药",
            "耕地",
        ],
    ),
    (
        "城乡与环境",
        "土地",
        &["土地", "国土", "征收", "拆迁", "宅基地", "海域", "测绘"],
    ),
    (
        "安全与治理",
        "应急",
        &[
            "应急",
            "消防",
            "安全生产",
            "防震",
            "地震",
            "防汛",
            "自然灾害",
            "突发事件",
            "危险化学品",
            "民用爆炸物品",
            "烟花爆竹",
            "气象灾害",
        ],
    ),
    (
        "安全与治理",
        "公共卫生",
        &[
            "公共卫生",
            "传染病",
            "疫情",
            "新冠",
            "肺炎",
            "医疗机构",
            "卫生",
            "疫苗",
            "献血",
            "中医药",
            "医师",
            "护士",
        ],
    ),
    (
        "安全与治理",
        "公安与治安",
        &[
            "治安",
            "公安",
            "养犬",
            "出入境",
            "护照",
            "禁毒",
            "枪支",
            "保安",
            "网络安全",
            "反恐",
        ],
    ),
    (
        "安全与治理",
        "司法",
        &[
            "诉讼",
            "仲裁",
            "法律援助",
            "公证",
            "调解",
            "人民法院",
            "人民检察院",
            "刑法",
            "刑事",
            "律师",
            "司法",
            "执行程序",
        ],
    ),
    (
        "安全与治理",
        "政务公开与行政",
        &[
            "政务服务",
            "信息公开",
            "行政许可",
            "行政处罚",
            "行政复议",
            "行政审批",
            "地方立法",
            "制定地方性法规",
            "规章",
            "人民代表大会",
            "公务员",
            "档案",
            "信访",
        ],
    ),
    (
        "安全与治理",
        "财政",
        &[
            "财政",
            "预算",
            "政府采购",
            "审计",
            "国有资产",
            "行政事业性收费",
            "统计",
        ],
    ),
    (
        "安全与治理",
        "民族宗教",
        &["民族", "宗教", "归侨", "侨眷", "台湾同胞", "港澳"],
    ),
];

/// The field that a topic belongs to: 民生保障 of 医疗保障.
pub fn field_of_topic(topic: &str) -> Option<&'static str> {
    let found = TABLE.iter().find(|(_, name, _)| *name == topic)?;
    Some(found.0)
}

/// How much of the text its topic's words cover; a longer word tells more.
fn weight(text: &str, words: &[&str]) -> usize {
    words
        .iter()
        .map(|word| text.matches(word).count() * word.chars().count())
        .sum()
}

/// Whether the line tells who adopted or changed a law, and when: it says nothing of what the law is about.
fn adopts(line: &str) -> bool {
    line.chars().count() <= 300
        && ["会议", "通过", "修正", "修订", "批准"]
            .iter()
            .any(|word| line.contains(word))
        && lang::date::find(line)
            .first()
            .is_some_and(|date| date.span.start < 30)
}

/// The topics of a document: those of the title, and where it tells none those of the headings, else of the opening.
pub(crate) fn find(view: &View<'_>, title: &str, outline: &[Heading]) -> Vec<String> {
    let headings: Vec<&str> = outline
        .iter()
        .map(|heading| heading.title.as_str())
        .collect();
    let opening: String = view
        .page
        .blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| block.hint != Hint::Rule)
        .take(16)
        .map(|(at, _)| view.page.str(at))
        .filter(|line| !adopts(line))
        .collect::<Vec<_>>()
        .join("\n")
        .chars()
        .take(600)
        .collect();
    // The lawmaker's name in a title is not what the law is about.
    let title = title.replace("人民代表大会常务委员会关于", "关于");
    // A word in the opening may only be mentioned.
    for (text, least) in [
        (title.as_str(), 1),
        (headings.join("\n").as_str(), 4),
        (opening.as_str(), 6),
    ] {
        let mut told: Vec<(usize, usize)> = TABLE
            .iter()
            .enumerate()
            .map(|(at, (_, _, words))| (weight(text, words), at))
            .filter(|(weight, _)| *weight >= least)
            .collect();
        told.sort_by_key(|(weight, at)| (std::cmp::Reverse(*weight), *at));
        // What is told much less than the first is told by the way.
        let most = told.first().map_or(0, |(weight, _)| *weight);
        let topics: Vec<String> = told
            .into_iter()
            .filter(|(weight, _)| weight * 3 >= most)
            .take(MOST)
            .map(|(_, at)| TABLE[at].1.to_owned())
            .collect();
        if !topics.is_empty() {
            return topics;
        }
    }
    Vec::new()
}
