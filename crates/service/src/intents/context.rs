//! Follow-ups as whole questions: 那灵活就业的呢？ · 需要什么材料？ · 不是北京，是天津。

use std::sync::LazyLock;

use regex::Regex;

/// How a message depends on the question before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not at all.
    None,
    /// It asks the same of another case.
    OtherCase,
    /// It asks something else of the same matter.
    OtherAspect,
    /// It corrects what was said.
    Correction,
}

/// A message as a question that can be understood alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The whole question.
    pub question: String,
    /// How the message depended on the question before.
    pub link: Link,
}

/// A message longer than this stands for itself.
const LONGEST: usize = 24;

/// Words that can stand for one another: the same place of a question.
const KINDS: &[&[&str]] = &[
    &[
        "北京", "上海", "天津", "重庆", "广州", "深圳", "杭州", "南京", "成都", "武汉", "西安",
        "长沙", "苏州", "海南", "广东", "浙江", "江苏", "老家", "外地", "本地", "本市", "外省",
        "省内",
    ],
    &["曙光区", "晨阳区", "云桥区", "星河区", "望山县", "临溪县"],
    &["租房", "买房", "购房", "还贷", "装修", "退休", "离职"],
    &["商业贷款", "公积金贷款", "组合贷款", "商贷"],
    &[
        "公积金",
        "社保",
        "医保",
        "养老保险",
        "失业保险",
        "工伤保险",
        "生育保险",
    ],
    &["顺产", "剖腹产", "剖宫产", "难产", "流产", "双胞胎"],
    &[
        "一孩", "二孩", "三孩", "头胎", "二胎", "三胎", "老大", "老二", "老三",
    ],
    &["职工医保", "居民医保", "灵活就业医保"],
    &[
        "公司",
        "个体户",
        "个体工商户",
        "合伙企业",
        "分公司",
        "合作社",
    ],
    &[
        "本人", "老婆", "老公", "爱人", "父母", "爸爸", "妈妈", "爸", "妈", "孩子", "儿子", "女儿",
    ],
    &["灵活就业", "在职", "失业", "退休人员", "学生", "自由职业"],
    &["线上", "网上", "窗口", "手机"],
    &["今年", "去年", "明年"],
];

/// What can be asked of any matter, and how it is said in full.
const ASPECTS: &[(&str, &str)] = &[
    (
        "材料|资料|证件|带什么|带啥|准备什么|准备啥|手续要",
        "需要什么材料",
    ),
    ("条件|资格|要求|谁能|什么人", "要符合什么条件"),
    (
        "多久|几天|时限|多长时间|什么时候(能|可以)?(好|到账|办好|下来)|啥时候",
        "多久能办好",
    ),
    ("费用|收费|要钱|花钱|要多少钱", "办理要不要钱"),
    ("流程|步骤|怎么办|怎么弄|怎么操作|怎么申请", "怎么办"),
    ("在哪|哪里|去哪|哪儿|地址|地点|窗口|位置", "去哪里办"),
    ("电话|联系方式|怎么联系", "咨询电话是多少"),
    ("网上|线上|手机|app|小程序", "能不能在网上办"),
    (
        "能?(领|拿|提|取|报|给)?多少(钱)?|金额|额度|标准",
        "能有多少钱",
    ),
    ("依据|政策|文件|规定", "依据是什么"),
    ("代办|别人(帮|替)|委托", "能不能代办"),
];

static ASPECT: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let aspects = ASPECTS.iter();
    aspects
        .filter_map(|(pattern, full)| Some((Regex::new(pattern).ok()?, *full)))
        .collect()
});

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// What stands around the words that count.
static FILLERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        "请问|我想问问?|想问一?下|问一?下|麻烦问|你好|您好|那么|那|还|又|再|要|需要|是|的话|的|呢|吗|啊|呀|吧|么|了|都|得|一般|大概|一共|具体|办理|办|能|可以|我|有|什么|啥|哪些|些|去|到|怎么|如何|好|不",
    )
});
static NOT_A_BUT_B: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        "^(?:不对|错了|说错了|不好意思)?[，,。 ]*(?:我?不是|不要|不办)(?P<a>[^，,。；;！!是]{1,12})[，,。；; ]*(?:而?是|要办?|办)(?P<b>[^，,。！!？?]{1,16})",
    )
});
static B_NOT_A: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        "^(?:不对|错了|说错了)?[，,。 ]*(?:我?是|应该是)(?P<b>[^，,。是]{1,16})[，,。 ]*不是(?P<a>[^，,。！!？?]{1,12})",
    )
});
static I_MEANT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        "^(?:不对|错了|说错了|打错了|不是|不)?[，,。 ]*(?:我说的是|我是说|我问的是|我指的是|我要问的是|应该是|改成|换成|说错了是)(?P<b>[^，,。！!？?]{1,20})",
    )
});
static OTHER_CASE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        "^(?:那么?|哦|嗯|好的?)?[，, ]*(?:(?:如果|要是|假如|假设|万一|换成|换做)(?:是|我是|我)?(?P<if>[^？?。]{1,18}?)(?:的话)?(?:呢|怎么办|行吗|可以吗|能办吗|也行吗|也一样吗)?|(?P<then>[^？?。，,]{1,14}?)(?:的话)?(?:呢|也一样吗|也可以吗|也行吗|也算吗|行不行))[？?。]*$",
    )
});
static TAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        "(?:[，,]?(?:需?要(?:带|准备|交|哪些|什么).*|怎么(?:办|弄|办理|申请|操作|领|提|取|算|交|报|搞)?.*|如何.*|多久.*|多少.*|几天.*|去?哪[里儿]?.*|能不能.*|可不可以.*|可以吗|行吗|能吗|吗|呢|么))?[？?。！!]*$",
    )
});
static LEAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        "^(?:你好|您好|请问一?下?|我想问一?下?|想问一?下?|问一?下|咨询一?下|麻烦问一?下)[，,：: ]*",
    )
});

/// Reads a message after the question before it, which should be whole itself.
pub fn resolve(previous: &str, message: &str) -> Resolved {
    let message = message.trim();
    let alone = || Resolved {
        question: message.to_owned(),
        link: Link::None,
    };
    if previous.trim().is_empty() || message.chars().count() > LONGEST {
        return alone();
    }
    if let Some(question) = corrected(previous, message) {
        return Resolved {
            question,
            link: Link::Correction,
        };
    }
    if let Some(question) = other_aspect(previous, message) {
        return Resolved {
            question,
            link: Link::OtherAspect,
        };
    }
    if let Some(question) = other_case(previous, message) {
        return Resolved {
            question,
            link: Link::OtherCase,
        };
    }
    alone()
}

/// 不是北京，是天津.
fn corrected(previous: &str, message: &str) -> Option<String> {
    for (place, found) in [&NOT_A_BUT_B, &B_NOT_A, &I_MEANT].into_iter().enumerate() {
        let Some(captures) = found.as_ref().and_then(|p| p.captures(message)) else {
            continue;
        };
        let right = captures.name("b")?.as_str().trim();
        let right = right.trim_end_matches(['的', '了', '啊', '呢']);
        let wrong = captures.name("a").map(|a| a.as_str().trim());
        if let Some(wrong) = wrong.filter(|wrong| previous.contains(wrong)) {
            return Some(previous.replacen(wrong, right, 1));
        }
        // 我是说… with a whole question in it replaces the question.
        if place == 2 && right.chars().count() > 8 && swapped(previous, right).is_none() {
            return Some(right.to_owned());
        }
        return Some(swapped(previous, right).unwrap_or_else(|| joined(right, previous)));
    }
    None
}

/// 需要什么材料？ after a question about a matter.
fn other_aspect(previous: &str, message: &str) -> Option<String> {
    let (aspect, full) = ASPECT.iter().find(|(aspect, _)| aspect.is_match(message))?;
    let rest = aspect.replace_all(message, "");
    let rest = FILLERS.as_ref()?.replace_all(&rest, "");
    let left = rest.chars().filter(|c| c.is_alphanumeric()).count();
    (left <= 1).then(|| format!("{}{full}？", topic(previous)))
}

/// 那灵活就业的呢？
fn other_case(previous: &str, message: &str) -> Option<String> {
    let captures = OTHER_CASE.as_ref()?.captures(message)?;
    let case = captures.name("if").or_else(|| captures.name("then"))?;
    let case = case.as_str().trim().trim_start_matches('那');
    let bare = case.trim_end_matches(['的', '了']);
    if bare.is_empty() || ["你", "您", "然后", "后来", "人", "还有"].contains(&bare) {
        return None;
    }
    Some(swapped(previous, bare).unwrap_or_else(|| joined(case, previous)))
}

/// The question with a word of the same kind exchanged.
fn swapped(question: &str, word: &str) -> Option<String> {
    let kind = KINDS.iter().find(|kind| {
        kind.iter()
            .any(|known| word == *known || word.starts_with(known))
    })?;
    let mut there: Vec<&str> = kind
        .iter()
        .copied()
        .filter(|known| question.contains(known) && !word.contains(known))
        .collect();
    there.sort_by_key(|known| std::cmp::Reverse(known.len()));
    Some(question.replacen(there.first()?, word, 1))
}

/// A case before the question.
fn joined(case: &str, question: &str) -> String {
    let question = without(&LEAD, question);
    format!("{case}，{question}")
}

/// What a question is about: without greeting and without what it asks.
pub fn topic(question: &str) -> String {
    let question = without(&LEAD, question.trim());
    let topic = without(&TAIL, &question);
    if topic.chars().count() >= 2 {
        topic
    } else {
        question
    }
}

fn without(pattern: &LazyLock<Option<Regex>>, text: &str) -> String {
    match pattern.as_ref() {
        Some(pattern) => pattern.replace(text, "").into_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_read() {
        assert_eq!(ASPECT.len(), ASPECTS.len());
        for pattern in [
            &FILLERS,
            &NOT_A_BUT_B,
            &B_NOT_A,
            &I_MEANT,
            &OTHER_CASE,
            &TAIL,
            &LEAD,
        ] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn another_case_of_the_same_question() {
        for (previous, message, whole) in [
            (
                "生育津贴怎么领？",
                "那灵活就业的呢？",
                "灵活就业的，生育津贴怎么领？",
            ),
            ("剖腹产能领多少生育津贴", "顺产呢", "顺产能领多少生育津贴"),
            ("去北京看病怎么报销", "那上海呢？", "去上海看病怎么报销"),
            ("租房怎么提公积金", "如果是买房呢", "买房怎么提公积金"),
            ("公司怎么注销", "要是个体户呢？", "个体户怎么注销"),
        ] {
            let resolved = resolve(previous, message);
            assert_eq!(resolved.question, whole, "{message}");
            assert_eq!(resolved.link, Link::OtherCase, "{message}");
        }
    }

    #[test]
    fn another_aspect_of_the_same_matter() {
        for (previous, message, whole) in [
            ("失业金怎么领？", "需要什么材料？", "失业金需要什么材料？"),
            (
                "请问租房提取公积金怎么办",
                "多久能办好",
                "租房提取公积金多久能办好？",
            ),
            ("生育津贴怎么申请", "材料呢", "生育津贴需要什么材料？"),
            ("社保卡丢了怎么补", "去哪办？", "社保卡丢了去哪里办？"),
            (
                "社保卡丢了怎么补",
                "网上能办吗",
                "社保卡丢了能不能在网上办？",
            ),
        ] {
            let resolved = resolve(previous, message);
            assert_eq!(resolved.question, whole, "{message}");
            assert_eq!(resolved.link, Link::OtherAspect, "{message}");
        }
    }

    #[test]
    fn corrections_replace_what_was_wrong() {
        for (previous, message, whole) in [
            (
                "在北京看病怎么报销",
                "不是北京，是天津",
                "在天津看病怎么报销",
            ),
            (
                "在北京看病怎么报销",
                "是天津，不是北京",
                "在天津看病怎么报销",
            ),
            ("租房怎么提公积金", "我说的是买房", "买房怎么提公积金"),
            ("社保怎么转", "不对，我问的是医保", "医保怎么转"),
        ] {
            let resolved = resolve(previous, message);
            assert_eq!(resolved.question, whole, "{message}");
            assert_eq!(resolved.link, Link::Correction, "{message}");
        }
    }

    #[test]
    fn questions_of_their_own_are_left_alone() {
        for message in [
            "失业金怎么领",
            "我想注册一家公司",
            "公司注销要什么材料",
            "谢谢",
            "医保电子凭证怎么激活",
        ] {
            let resolved = resolve("租房怎么提公积金", message);
            assert_eq!(resolved.question, message);
            assert_eq!(resolved.link, Link::None, "{message}");
        }
    }
}
