//! Headings without a mark, and signatures.

use std::sync::LazyLock;

use regex::Regex;

use super::blocks::Item;
use super::mark::Mark;
use crate::page::Hint;

static GUIDE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:[【\[])?(?:事项(?:名称|说明|简介)|(?:法定|设定|办理|政策|适用)依据|(?:受理|申请|办理|申报|享受)(?:条件|对象|范围)|服务对象|适用(?:范围|对象)|(?:申请|申报|办理|所需|提交)材料(?:清单)?|",
        r"(?:办理|申请|申报|业务|服务)(?:流程|程序|步骤|环节|方式|渠道|途径)|办理(?:时限|地点|时间|机构|结果)|(?:承诺|法定)(?:办结)?时限|收费(?:标准|依据|情况)|(?:补贴|补助|待遇|奖励|支持)(?:标准|对象|内容|方式)|",
        r"咨询(?:方式|电话|渠道)|监督(?:投诉|电话)(?:方式|渠道|电话)?|联系(?:方式|电话)|常见问题|注意事项|温馨提示|政策解读|特别提醒|结果送达|网上办理|线上办理|线下办理)(?:[】\]])?[:：]?$",
    ))
    .expect("the pattern is fixed")
});
static ORGAN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:局|府|厅|委|委员会|大会|协会|联合会|院|部|办公室|办|中心|处|室|所|署|行|司|组|社|队|馆|台|校|指挥部|公司|集团|关|联盟|会)(?:（印章）|\(印章\)|（盖章）|（章）)?$").expect("the pattern is fixed")
});
static RULES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:办法|规定|细则|条例|方案|意见|规则|标准|目录|清单|指南|规程|规范|章程|准则|措施)(?:[（(](?:试行|暂行|修订|征求意见稿|.{1,8}版|\d{4}年.{0,6})[）)])?$").expect("the pattern is fixed")
});

/// A short line without a sentence's marks.
pub(super) fn is_short_title(text: &str, most: usize) -> bool {
    let text = text.trim_end_matches(['：', ':']);
    text.chars().count() <= most && !text.contains(['。', '；', '，', '：', ':', '！', '？', '|'])
}

/// Whether the line is one of the headings that service guides use.
pub(crate) fn is_guide_heading(text: &str) -> bool {
    text.len() <= 60 && GUIDE.is_match(text)
}

/// Whether the line is the title of a regulation.
pub(super) fn is_rules_title(text: &str) -> bool {
    is_short_title(text, 45) && RULES.is_match(text)
}

/// Whether the line names organs only.
pub(crate) fn is_organ(text: &str) -> bool {
    text.chars().count() <= 80
        && !text.contains(['。', '；', '，', '：', '！', '？', '“', '|'])
        && text
            .split([' ', '\u{3000}', '\t'])
            .filter(|part| part.chars().count() > 1)
            .all(|part| ORGAN.is_match(part))
}

/// Whether the line is a date, perhaps with 印发.
pub(crate) fn is_date(text: &str) -> bool {
    let text = text.trim_end_matches("印发").trim_end_matches("发布");
    lang::date::only(text).is_some()
}

/// Whether the line is organs with a date behind them: 财政部 生态环境部 2020年2月20日.
pub(crate) fn is_signature(text: &str) -> bool {
    if text.chars().nth(100).is_some() {
        return false;
    }
    let Some(date) = lang::date::find(text).pop() else {
        return false;
    };
    let organs = text[..date.span.start].trim();
    text[date.span.end..].trim().is_empty() && organs.chars().count() >= 3 && is_organ(organs)
}

/// End of the signature that begins at `at`: up to five lines of organs, then a date.
pub(super) fn sign_off(text: &str, items: &[Item], at: usize) -> Option<usize> {
    for (offset, item) in items[at..].iter().take(6).enumerate() {
        let slice = &text[item.span.clone()];
        if item.mark != Mark::Plain || item.hint.is_table() || matches!(item.hint, Hint::Heading(_))
        {
            return None;
        }
        if is_date(slice) || is_signature(slice) {
            return Some(at + offset + 1);
        }
        if !is_organ(slice) {
            return None;
        }
    }
    None
}
