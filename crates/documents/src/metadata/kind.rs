//! The kind of document, and what it says about its validity.

use super::{View, pattern};
use crate::document::{Declared, DocumentKind};
use crate::format;
use crate::page::Hint;
use crate::structure::is_guide_heading;
use crate::structure::mark::{self, Mark};

pattern!(FAQ, r"常见问题|问答|百问|热点问题|答疑|你问我答|(?i-u:FAQ)");
pattern!(INTERPRETATION, r"解读|读懂|答记者问|政策简读");
pattern!(
    GUIDE,
    r"指南|办理流程|办事流程|办理须知|申请须知|办理程序|服务手册|怎么办|如何办理|事项清单"
);
pattern!(
    LAW,
    r"(?:条例|宪法|法典|[^办做方想看说语书用写]法|修正案.*|实施细则|法.{0,4}(?:决定|解释))(?:[（(].{1,12}[）)])?$"
);
pattern!(
    POLICY,
    r"通知|意见|办法|方案|措施|细则|规定|公告|通告|决定|批复|规划|政策|标准|要点|规则|办理规程|工作规程|函$"
);
pattern!(
    STATUS,
    r"[（(【\[〔](?:本文件|该文件|全文)?(已)?(废止|失效|尚未生效|未生效)[）)】\]〕]|(?:有效性|时效性|效力状态|文件状态|状态)[ 　]*[:：|][ 　|]*(已)?(废止|失效|尚未生效|未生效)|本(?:文件|办法|通知|规定|细则|意见)(已)(?:经)?(?:于.{0,14})?(废止|失效|停止执行)"
);

pub(super) fn find(
    view: &View<'_>,
    title: &str,
    issuer: Option<&str>,
    number: Option<&str>,
) -> DocumentKind {
    let blocks =
        || (0..view.page.blocks.len()).map(|at| (view.page.str(at), view.page.blocks[at].hint));
    let marked = |mark: Mark, text: &str| mark::read(text).mark == mark;
    let questions = blocks()
        .filter(|(text, hint)| {
            marked(Mark::Question, text)
                || matches!(hint, Hint::Heading(_)) && text.ends_with(['？', '?'])
        })
        .count();
    if INTERPRETATION.is_match(title) {
        return DocumentKind::Interpretation;
    }
    if FAQ.is_match(title) {
        return DocumentKind::Faq;
    }
    if GUIDE.is_match(title) && !title.contains("通知") && !title.contains("办法") {
        return DocumentKind::Guide;
    }
    if questions >= 3 {
        return DocumentKind::Faq;
    }
    let top = |names: &[&str]| issuer.is_some_and(|i| names.iter().any(|name| i.contains(name)));
    let lawmaker = top(&["人民代表大会", "最高人民法院", "最高人民检察院"])
        || title.starts_with("中华人民共和国")
        || title.starts_with("最高人民");
    if lawmaker
        || (LAW.is_match(title)
            && number.is_none_or(|n| n.contains('令'))
            && !title.contains("通知"))
        || top(&["国务院"]) && number.is_some_and(|n| n.contains('令'))
    {
        return DocumentKind::Law;
    }
    if POLICY.is_match(title) || number.is_some() {
        return DocumentKind::Policy;
    }
    let guide = blocks()
        .filter(|(text, _)| {
            let marked = mark::read(text);
            is_guide_heading(text[marked.len..].trim())
        })
        .count();
    if guide >= 3 {
        DocumentKind::Guide
    } else {
        DocumentKind::Other
    }
}

pub(super) fn declared(name: &str, view: &View<'_>, title: &str) -> Option<Declared> {
    let near = [title, format::stem(name)]
        .into_iter()
        .chain(view.front.iter().take(12).copied());
    for text in near.filter(|text| text.chars().count() <= 200) {
        let Some(found) = STATUS.captures(text) else {
            continue;
        };
        let word = [2, 4, 6].into_iter().find_map(|at| found.get(at))?.as_str();
        return Some(match word {
            "废止" | "停止执行" => Declared::Repealed,
            "失效" => Declared::Expired,
            _ => Declared::NotYetEffective,
        });
    }
    None
}
