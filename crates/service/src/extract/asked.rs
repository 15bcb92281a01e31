//! The question's side: what is asked for, and with which words.

use std::sync::LazyLock;

use lang::token::{Run, normalise, runs};
use regex::Regex;

/// Interrogatives, longest first.
static INTERROGATIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("什么时候|什么时间|什么样的|什么样|为什么|什么|怎么样|怎样|怎么|如何|哪一些|哪一|哪些|哪几|哪里|哪儿|哪|是否|能否|可否|能不能|是不是|有没有|为何|何时|多少|多久|多长|多大|谁|几[个项条类种家天名次人月日年]|何|吗|呢|咋|啥|几|请问")
        .expect("a fixed pattern")
});

/// What a question may ask for: the words that tell, and what an answer to it looks like.
struct Kind {
    asked: Regex,
    answered: Option<Regex>,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let kind = |asked: &str, answered: &str| Kind {
        asked: Regex::new(asked).expect("a fixed pattern"),
        answered: (!answered.is_empty()).then(|| Regex::new(answered).expect("a fixed pattern")),
    };
    vec![
        kind("多少|几[个项条类种家天名次人月日年大批]|哪几|几", NUMBER),
        kind(
            "元|钱|金额|费用|补贴|补助|资金|贷款|利率|费率",
            r"[\d.一二三四五六七八九十百千]+(?:万|亿)?余?元|%|免|减|贷款|补贴|补助",
        ),
        kind(
            "什么时候|何时|时间|几月|几日|哪天|哪一天|日期|期限|多久|多长|截止|截至",
            DATE,
        ),
        kind(
            "哪里|哪儿|何处|地点|地址|在哪|什么地方|哪些地方|哪个地|哪些地区",
            "省|市|区|县|镇|村|路|街|楼|号|站|场|院|网|室|厅",
        ),
        kind(
            "谁|哪个部门|哪些部门|什么人|哪些人|哪些单位|何人|哪家|哪些企业|对象|主体|哪类",
            "部|局|委|厅|办|机构|单位|企业|公司|人员|中心|院|所",
        ),
        kind("如何|怎么|怎样|咋", ""),
        kind("措施|举措|要求|规定|部署|做法|安排|办法|工作", ""),
        kind("政策|优惠|支持|待遇|帮助|扶持", ""),
        kind(
            "为什么|为何|原因|目的",
            "为了|为|因|由于|以便|确保|防止|避免",
        ),
        kind(
            "是否|能否|可否|吗|有没有|能不能|是不是",
            "不|可以|可|能|无需|禁止|严禁|必须|应",
        ),
        kind(
            "电话|热线|号码|联系方式",
            r"\d{7,}|\d{3,4}-\d{7,8}|\b1[0-9]{4}\b",
        ),
        kind("是什么|什么是|指什么|名称|叫什么|指的是", ""),
        kind("比例|百分|率|占", "[\\d.]+%|百分之|成"),
        kind("哪些|哪几|什么|包括|内容", ""),
        kind("方式|途径|渠道|方法|平台|路径|手段", "[“《]"),
        kind("文件|通知|方案|证明|材料|指南", "[“《]"),
    ]
});

/// A number with its unit.
pub(super) const NUMBER: &str = r"(?:\d[\d.,，]*|[一二三四五六七八九十百千万两]+)(?:万|亿|千|百)?(?:余|多)?(?:元|%|‰|个|人|名|家|项|条|类|种|天|日|月|年|小时|分钟|次|户|件|只|吨|倍|米|批|万|亿|笔|台|辆|套|例|所|处|级|度|份|张|周|成|折|号)|百分之[一二三四五六七八九十\d]+";

/// A date or a period.
pub(super) const DATE: &str =
    r"(?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{4}年\d{1,2}月|\d{1,2}日|\d{1,2}(?:时|点)|起|止|期间";

/// A bigram or word of the question.
#[derive(Clone, Debug)]
pub(super) struct Gram {
    pub(super) text: Vec<char>,
    pub(super) weight: f32,
    /// It stands shortly before the interrogative.
    pub(super) before: bool,
    /// It stands after it.
    pub(super) after: bool,
}

/// A question, as extraction sees it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) grams: Vec<Gram>,
    pub(super) total: f32,
    /// The question's characters, interrogatives as `|`.
    pub(super) clean: Vec<char>,
    /// Whether it asks for each kind.
    pub(super) kinds: Vec<bool>,
    pub(super) length: usize,
}

/// How many characters before the interrogative count as before it.
const NEAR: usize = 14;

impl Asked {
    /// Understands a question; `rarity` weighs its bigrams and words.
    pub(super) fn new(
        question: &str,
        rarity: impl Fn(&[String]) -> kernel::Result<Vec<f32>>,
    ) -> kernel::Result<Self> {
        let normal = normalise(question);
        let clean = INTERROGATIVE.replace_all(&normal, "|").into_owned();
        let tokens = grams(&clean);
        let weights = rarity(&tokens)?;
        let main = INTERROGATIVE
            .find_iter(&normal)
            .filter(|m| !matches!(m.as_str(), "吗" | "呢" | "请问"))
            .last();
        let (left, right) = main.map_or((normal.as_str(), ""), |m| {
            (&normal[..m.start()], &normal[m.end()..])
        });
        let near: String = left
            .chars()
            .rev()
            .take(NEAR)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let (before, after) = (
            grams(&INTERROGATIVE.replace_all(&near, "|")),
            grams(&INTERROGATIVE.replace_all(right, "|")),
        );
        let grams: Vec<Gram> = tokens
            .into_iter()
            .zip(weights)
            .map(|(token, weight)| Gram {
                before: before.contains(&token),
                after: after.contains(&token),
                text: token.chars().collect(),
                weight,
            })
            .collect();
        let total = grams.iter().map(|g| g.weight).sum::<f32>().max(1e-6);
        Ok(Self {
            grams,
            total,
            kinds: KINDS.iter().map(|k| k.asked.is_match(&normal)).collect(),
            clean: clean.chars().collect(),
            length: normal.chars().count(),
        })
    }

    /// What answers of the asked kinds look like.
    pub(super) fn expected(&self) -> Vec<&'static Regex> {
        KINDS
            .iter()
            .zip(&self.kinds)
            .filter(|(_, asked)| **asked)
            .filter_map(|(k, _)| k.answered.as_ref())
            .collect()
    }
}

/// The distinct bigrams and words of a normalised text, sorted.
fn grams(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => out.push(word.to_owned()),
            Run::Han(han) => {
                let chars: Vec<char> = han.chars().collect();
                out.extend(chars.windows(2).map(|w| w.iter().collect::<String>()));
            }
        }
    }
    out.sort();
    out.dedup();
    out
}
