//! Conditions, amounts, materials, channels and deadlines, picked out of the evidence sentence by sentence.

use std::{ops::Range, sync::LazyLock};

use platform::answer::PointKind;
use regex::Regex;

/// What sentences of a kind look like, and under which headings they stand.
struct Rule {
    kind: PointKind,
    heading: Regex,
    sentence: Regex,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |kind, heading: &str, sentence: &str| Rule {
        kind,
        heading: Regex::new(heading).expect("a fixed pattern"),
        sentence: Regex::new(sentence).expect("a fixed pattern"),
    };
    vec![
        rule(
            PointKind::Material,
            "材料|证件|资料|要件",
            "(?:提供|提交|携带|出示|需要?带).{0,30}(?:证|材料|表|证明|凭证|复印件|原件|合同|发票)|(?:下列|以下|如下)材料",
        ),
        rule(
            PointKind::Amount,
            "标准|金额|待遇|额度|比例|费率|补贴|补助",
            r"(?:[\d.,]+|[一二三四五六七八九十百千]+)\s*(?:万|亿)?元|[\d.]+\s*[%％]|百分之[一二三四五六七八九十]+|(?:最高|不超过|不低于).{0,12}倍",
        ),
        rule(
            PointKind::Deadline,
            "时限|期限|时间|办结",
            r"(?:[\d.]+|[一二三四五六七八九十]+)\s*个?(?:工作日|自然日|日内|天|个月内|年内|月内)|(?:当场|即时|当日)办(?:结|理)|每[年月].{0,8}(?:前|日)",
        ),
        rule(
            PointKind::Channel,
            "渠道|地点|方式|窗口|网上办理|咨询|受理机构",
            "(?:网上|线上|线下|窗口|大厅|APP|小程序|网站|热线|电话|服务中心|公众号).{0,40}(?:办理|申请|申报|提交|咨询|查询|预约|受理)|(?:登录|拨打|前往|通过).{0,30}(?:APP|小程序|网|窗口|大厅|热线|中心)",
        ),
        rule(
            PointKind::Condition,
            "条件|对象|范围|资格|适用",
            "(?:符合|具备|满足).{0,12}条件|可以(?:申请|提取|领取|享受)|的，(?:可以|可|应当|予以)|不(?:予|得)(?:提取|享受|受理|支付)",
        ),
    ]
});

/// The longest point, in characters.
const LONGEST: usize = 120;

/// The shortest; what is shorter is a heading rather than a statement, unless it reads like its kind.
const SHORTEST: usize = 16;

/// A point in a passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is about.
    pub kind: PointKind,
    /// Where it stands in the passage, in bytes.
    pub span: Range<usize>,
}

/// The points of a passage under these headings, at most one of each kind, in the order of kinds. A sentence counts when
/// it reads like its kind; under a heading of the kind the first sentence is enough.
pub fn find(headings: &[String], passage: &str) -> Vec<Found> {
    let sentences = lang::sentence::sentences(passage);
    let mut out: Vec<Found> = Vec::new();
    for rule in RULES.iter() {
        let titled = headings.last().is_some_and(|h| rule.heading.is_match(h));
        let told = |r: &&Range<usize>| !passage[(*r).clone()].ends_with(['？', '?', '：', ':']);
        let fits = |r: &&Range<usize>| told(r) && rule.sentence.is_match(&passage[(*r).clone()]);
        let found = sentences.iter().find(fits).or_else(|| {
            sentences
                .first()
                .filter(|s| titled && told(s) && passage[(*s).clone()].chars().count() >= SHORTEST)
        });
        if let Some(span) = found
            && (4..=LONGEST).contains(&passage[span.clone()].chars().count())
        {
            out.push(Found {
                kind: rule.kind,
                span: without_answer_mark(passage, span),
            });
        }
    }
    out.sort_by_key(|f| f.kind);
    out
}

/// Without the 答： that begins an answer.
fn without_answer_mark(passage: &str, span: &Range<usize>) -> Range<usize> {
    let text = &passage[span.clone()];
    let mark = ["答：", "答:"].iter().find(|m| text.starts_with(**m));
    span.start + mark.map_or(0, |m| m.len())..span.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(heading: &str, passage: &'a str) -> Vec<(PointKind, &'a str)> {
        find(&[heading.to_owned()], passage)
            .into_iter()
            .map(|f| (f.kind, &passage[f.span]))
            .collect()
    }

    #[test]
    fn amounts_and_deadlines_are_picked_out_as_they_stand() {
        let passage = "租房提取每人每月不超过1500元。中心应当在3个工作日内办结。";
        let found = texts("", passage);
        assert!(
            found.contains(&(PointKind::Amount, "租房提取每人每月不超过1500元。")),
            "{found:?}"
        );
        assert!(
            found.contains(&(PointKind::Deadline, "中心应当在3个工作日内办结。")),
            "{found:?}"
        );
    }

    #[test]
    fn a_heading_tells_what_its_first_sentence_is() {
        let materials = "本人有效居民身份证或者社会保障卡；结婚证。";
        let first = "本人有效居民身份证或者社会保障卡；";
        assert_eq!(texts("申请材料", materials), [(PointKind::Material, first)]);
        assert!(texts("总则", "为了规范管理。").is_empty());
    }
}
