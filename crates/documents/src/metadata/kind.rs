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
    WALKTHROUGH,
    r"操作(?:详解|指引|指南|手册|步骤|流程|说明|教程|演示)|使用(?:教程|手册|说明)|图解|分步|手把手|一步一步|步骤详解"
);
pattern!(
    PRIMER,
    r"通识|科普|小百科|常识|入门|基础知识|知识普及|知识点|^什么是|是什么[？?]?$"
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

/// What the folders say that the file lies in, the nearest first.
fn folder(name: &str) -> Option<DocumentKind> {
    let folders = name.rsplit(['/', '\\']).skip(1);
    folders.map(str::trim).find_map(|folder| {
        Some(match folder {
            "操作详解" | "操作指引" | "操作指南" | "操作手册" => {
                DocumentKind::Walkthrough
            }
            "通识知识" | "通识" | "知识科普" | "科普" => DocumentKind::Primer,
            "常见问答" | "常见问题" | "问答" => DocumentKind::Faq,
            "办事指南" | "服务指南" | "办事指引" => DocumentKind::Guide,
            "政策解读" | "解读" => DocumentKind::Interpretation,
            "政策" | "政策文件" | "惠企政策" => DocumentKind::Policy,
            "法律法规" | "法律" | "法规" => DocumentKind::Law,
            _ => return None,
        })
    })
}

/// What the paragraphs of a document begin with.
struct Counts {
    questions: usize,
    guide: usize,
    steps: usize,
    /// 1.
    numbered: usize,
}

fn counts(view: &View<'_>) -> Counts {
    let mut counts = Counts {
        questions: 0,
        guide: 0,
        steps: 0,
        numbered: 0,
    };
    for (at, block) in view.page.blocks.iter().enumerate() {
        let text = view.page.str(at);
        let marked = mark::read(text);
        let asks = matches!(block.hint, Hint::Heading(_)) && text.ends_with(['？', '?']);
        counts.questions += usize::from(marked.mark == Mark::Question || asks);
        counts.guide += usize::from(is_guide_heading(text[marked.len..].trim()));
        match marked.mark {
            Mark::Step { .. } if !block.hint.is_table() => counts.steps += 1,
            Mark::Level { depth: 3, .. } => counts.numbered += 1,
            _ => {}
        }
    }
    counts
}

/// What the title says; `None` where it says nothing, or where its words need the text's support and lack it.
fn titled(title: &str, counts: &Counts) -> Option<DocumentKind> {
    let rules = title.contains("通知") || title.contains("办法");
    if INTERPRETATION.is_match(title) {
        return Some(DocumentKind::Interpretation);
    }
    if FAQ.is_match(title) {
        return Some(DocumentKind::Faq);
    }
    let steps = counts.steps >= 2 || counts.numbered >= 2;
    if WALKTHROUGH.is_match(title) && !rules && steps && counts.guide < 3 {
        return Some(DocumentKind::Walkthrough);
    }
    if GUIDE.is_match(title) && !rules {
        return Some(DocumentKind::Guide);
    }
    let primer = PRIMER.is_match(title) && !POLICY.is_match(title);
    (primer && counts.questions < 3 && counts.guide < 3).then_some(DocumentKind::Primer)
}

/// Whether its author makes laws, or its title is that of a law.
fn law(title: &str, issuer: Option<&str>, number: Option<&str>) -> bool {
    let top = |names: &[&str]| issuer.is_some_and(|i| names.iter().any(|name| i.contains(name)));
    let lawmaker = top(&["人民代表大会", "最高人民法院", "最高人民检察院"])
        || title.starts_with("中华人民共和国")
        || title.starts_with("最高人民");
    lawmaker
        || (LAW.is_match(title)
            && number.is_none_or(|n| n.contains('令'))
            && !title.contains("通知"))
        || top(&["国务院"]) && number.is_some_and(|n| n.contains('令'))
}

pub(super) fn find(
    name: &str,
    view: &View<'_>,
    title: &str,
    issuer: Option<&str>,
    number: Option<&str>,
) -> DocumentKind {
    let counts = counts(view);
    let titled = titled(title, &counts);
    let folder = folder(name);
    let law = law(title, issuer, number);
    // A folder says it of each file in it, but does not make a law a question, or a notice an instruction.
    let form = |kind: &DocumentKind| !matches!(kind, DocumentKind::Policy | DocumentKind::Law);
    if let Some(kind) = folder.filter(form)
        && !law
        && number.is_none()
        && titled != Some(DocumentKind::Interpretation)
    {
        return kind;
    }
    if let Some(kind) = titled {
        return kind;
    }
    if counts.questions >= 3 {
        DocumentKind::Faq
    } else if law {
        DocumentKind::Law
    } else if POLICY.is_match(title) || number.is_some() {
        DocumentKind::Policy
    } else if counts.guide >= 3 {
        DocumentKind::Guide
    } else if counts.steps >= 3 {
        DocumentKind::Walkthrough
    } else {
        folder.unwrap_or_default()
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
