//! When two titles name the same document, and when the same law in another wording.

use std::sync::LazyLock;

use documents::DocumentKind;
use lang::token::normalise;
use regex::Regex;

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is fixed"));
    };
}

// What tells one wording from another: (2022年修订), (2018修正), (修订版), (2022-03-29), (第二次修正).
pattern!(
    WORDING,
    r"[(\[【](?:(?:19|20)[0-9]{2}[-.年/][0-9]{1,2}[-.月/][0-9]{1,2}日?|(?:19|20)[0-9]{2}年?)?(?:最新|第[一二三四五六七八九十]次)*(?:修订|修正|修改|公布|发布|施行|通过)?(?:版|本|文本)?[)\]】]$"
);

// 中华人民共和国刑法 is 刑法, but 中华人民共和国和…条约 names the state as one of two parties.
pattern!(
    STATE,
    r"(^|《|适用|实施|执行|贯彻)中华人民共和国([^和与政主])"
);

// 关于印发《…办法》的通知 stands for the 办法.
pattern!(
    ISSUING,
    r"关于(?:重新|修订)?(?:印发|发布|公布|颁布)《?(.{2,60}?)》?的(?:通知|公告|决定|令)$"
);

// Rules of lasting force, of which there is one wording at a time.
pattern!(
    RULES,
    r"(?:法|法典|条例|办法|规定|细则|规则|决定|解释|章程|规程|准则)(?:\((?:试行|暂行|[一二三四五六七八九十]{1,3})\))?$"
);

// Drafts, and what changes other documents: many of the same title stand side by side.
pattern!(PASSING, r"修改|废止|征求意见|草案|送审稿");
pattern!(
    DECIDES_ONCE,
    r"(?:修正|修订|停止|任免|任命|批准|接受|召开|补选|公布|取消|下放|调整|清理|授权).*决定$"
);

/// A title as it is compared: without blanks, marks of its wording and the state's name, brackets of one kind.
pub(crate) fn name(title: &str) -> String {
    let mut out: String = normalise(title)
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '、')
        .map(|c| match c {
            '〈' | '<' | '﹤' => '《',
            '〉' | '>' | '﹥' => '》',
            '〔' => '(',
            '〕' => ')',
            c => c,
        })
        .collect();
    while let Some(found) = WORDING.find(&out) {
        // An empty pair of brackets says nothing either; a title of nothing else stays as it is.
        if found.start() == 0 {
            break;
        }
        out.truncate(found.start());
    }
    let bare = out.strip_prefix('《').and_then(|o| o.strip_suffix('》'));
    if let Some(bare) = bare.filter(|b| !b.contains('《')) {
        out = bare.to_owned();
    }
    STATE.replace_all(&out, "$1$2").into_owned()
}

/// The name that all wordings of the same law share. `None` for what has no wordings that follow one another: notices
/// and plans, which come anew every year, guides and answers, and documents that only change others.
pub(crate) fn law(title: &str, kind: DocumentKind) -> Option<String> {
    if !matches!(
        kind,
        DocumentKind::Law | DocumentKind::Policy | DocumentKind::Other
    ) {
        return None;
    }
    let whole = name(title);
    let name = match ISSUING.captures(&whole) {
        Some(found) => self::name(&found[1]),
        None => whole,
    };
    let rules = RULES.is_match(&name) && !PASSING.is_match(&name) && !DECIDES_ONCE.is_match(&name);
    (rules && name.chars().count() >= 2).then_some(name)
}

/// Whether two issuers, as documents name them, may be the same: one organ in common is enough, and a congress and its
/// standing committee are one.
pub(crate) fn same_issuer(one: &str, other: &str) -> bool {
    let organs = |text: &str| -> Vec<String> {
        normalise(text)
            .split(['、', ' ', ','])
            .map(|organ| {
                organ
                    .trim_start_matches("中华人民共和国")
                    .trim_end_matches("常务委员会")
                    .replace("人大常委会", "人民代表大会")
            })
            .filter(|organ| !organ.is_empty())
            .collect()
    };
    let others = organs(other);
    organs(one).iter().any(|organ| others.contains(organ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_of_a_law_share_a_name() {
        for title in [
            "中华人民共和国公司法",
            "公司法",
            "《公司法》",
            "中华人民共和国公司法（2023年修订）",
            "公司法(2018修正)",
            "公司法（2023-12-29）",
            "中华人民共和国 公司法（修订版）",
        ] {
            assert_eq!(
                law(title, DocumentKind::Law).as_deref(),
                Some("公司法"),
                "{title}"
            );
        }
        assert_eq!(
            law(
                "最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释",
                DocumentKind::Law
            ),
            law(
                "最高人民法院关于适用《民事诉讼法》的解释",
                DocumentKind::Law
            )
        );
        assert_eq!(
            law(
                "启明市人民政府关于印发《启明市住房补贴办法》的通知",
                DocumentKind::Policy
            ),
            law("启明市住房补贴办法", DocumentKind::Policy)
        );
    }

    #[test]
    fn what_stands_side_by_side_has_no_wordings() {
        for (title, kind) in [
            ("关于做好城乡居民医保缴费工作的通知", DocumentKind::Policy),
            ("国务院关于修改部分行政法规的决定", DocumentKind::Law),
            (
                "国务院关于取消和下放一批行政许可事项的决定",
                DocumentKind::Law,
            ),
            ("启明市住房补贴办法（征求意见稿）", DocumentKind::Policy),
            ("启明市住房补贴办法办事指南", DocumentKind::Guide),
            ("启明市住房补贴办法", DocumentKind::Interpretation),
        ] {
            assert_eq!(law(title, kind), None, "{title}");
        }
    }

    #[test]
    fn numbers_trial_and_parties_belong_to_the_name() {
        let of = |title| law(title, DocumentKind::Law).unwrap();
        assert_ne!(
            of("最高人民法院关于劳动争议案件的解释（一）"),
            of("最高人民法院关于劳动争议案件的解释（二）")
        );
        assert_ne!(of("启明市住房补贴办法（试行）"), of("启明市住房补贴办法"));
        assert_eq!(
            name("中华人民共和国和泰王国引渡条约"),
            "中华人民共和国和泰王国引渡条约"
        );
    }

    #[test]
    fn issuers_are_compared_organ_by_organ() {
        assert!(same_issuer(
            "全国人民代表大会常务委员会",
            "全国人民代表大会"
        ));
        assert!(same_issuer("启明市民政局、启明市财政局", "启明市财政局"));
        assert!(!same_issuer("启明市民政局", "云海市民政局"));
    }
}
