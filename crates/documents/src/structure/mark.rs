//! The marks that a paragraph can begin with: 第一章, 第一条, 一、, （一）, 1., （1）, ①, 附件1, 问：.

use std::sync::LazyLock;

use lang::numeral;
use regex::Regex;

/// What a paragraph begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// 编 1, 分编 2, 章 3, 节 4.
    Division {
        rank: u8,
        number: u64,
    },
    /// 第`number`条, 第`number`条之`sub`.
    Article {
        number: u64,
        sub: u64,
        spaced: bool,
    },
    /// 一、 1, （一） 2, 1. 3, （1） 4, ① 5.
    Level {
        depth: u8,
        number: u64,
    },
    /// 附件.
    Annex,
    /// 第一步, 步骤1, Step 1
    Step {
        number: u64,
    },
    /// 问：
    Question,
    /// 答：
    Answer,
    Plain,
}

/// A mark and how many bytes it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) mark: Mark,
    pub(crate) len: usize,
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("the pattern is fixed"));
    };
}

const CN: &str = "[零〇一二两三四五六七八九十百千0-9０-９]";

pattern!(
    DIVISION,
    &format!(r"^第[ 　]?({CN}{{1,7}})[ 　]?(分编|编|篇|章|节)")
);
pattern!(
    ARTICLE,
    &format!(r"^第[ 　]?({CN}{{1,9}})[ 　]?条(?:之({CN}{{1,4}}))?")
);
pattern!(LEVEL1, r"^([一二三四五六七八九十]{1,3})[ 　]?[、．]");
pattern!(
    LEVEL2,
    r"^[（(][ 　]?([一二三四五六七八九十]{1,3})[ 　]?[）)]、?"
);
pattern!(LEVEL3, r"^([0-9０-９]{1,2})[ 　]?(?:[.．][ 　]*|、)");
pattern!(
    LEVEL4,
    r"^(?:[（(][ 　]?([0-9０-９]{1,2})[ 　]?[）)]、?|([0-9０-９]{1,2})[）)])"
);
pattern!(
    ANNEX,
    r"^附[ 　]*(?:件|录|表)?[ 　]*(?:[0-9０-９]{1,2}|[一二三四五六七八九十]{1,3}|[A-Z])?[ 　]*(?:[:：.．、 　]|$|[《\p{Han}])"
);
pattern!(
    QUESTION,
    r"^(?:[0-9０-９]{1,3}[ 　]?[.．、][ 　]*)?(?:(?:问题?|提问)[ 　]*(?:[0-9０-９]{1,3}|[一二三四五六七八九十]{1,3})?[ 　]*[:：]|[QqＱ][ 　]*[0-9０-９]{0,3}[ 　]*[:：.．、])[ 　]*"
);
pattern!(
    ANSWER,
    r"^(?:答复?|回答|回复|[AaＡ][ 　]*[0-9０-９]{0,3})[ 　]*[:：.．、][ 　]*"
);

pattern!(
    STEP,
    &format!(
        r"^[【\[]?(?:第[ 　]?({CN}{{1,4}})[ 　]?步|步骤[ 　]?({CN}{{1,4}})|(?i-u:step)[ 　]?([0-9]{{1,2}}))[】\]]?([ 　]*[:：、.．，][ 　]*|[ 　]+|$)?"
    )
);

/// What follows 第一步 when it is only mentioned.
const SPOKEN_OF: &[char] = &[
    '是', '的', '要', '就', '和', '与', '到', '至', '中', '里', '骤',
];

/// What follows 第十二条 when it is only mentioned.
const MENTIONED: &[char] = &[
    '的', '规', '第', '中', '所', '、', '和', '至', '与', '及', '或', '增', '删', '”', '改', '相',
    '，', '；', '。', '：', '）', '》', ',', '修', '—', '-', '－', '~', '～', '是', '以', '款',
    '项', '前', '后',
];

fn circled(c: char) -> Option<u64> {
    ('①'..='⑳').contains(&c).then(|| c as u64 - '①' as u64 + 1)
}

fn number(text: &str) -> Option<u64> {
    numeral::integer(text)
}

fn division(text: &str) -> Option<Marked> {
    let found = DIVISION.captures(text)?;
    let len = found[0].len();
    let rest = text[len..].trim();
    let rank = match &found[2] {
        "编" | "篇" => 1,
        "分编" => 2,
        "章" => 3,
        _ => 4,
    };
    let spaced = text[len..].starts_with([' ', '\u{3000}', '\t']) || rest.is_empty();
    let most = if spaced { 40 } else { 30 };
    let mentioned =
        !spaced && (rest.starts_with(['的', '第', '至', '和', '、']) || rest.starts_with("规定"));
    if mentioned
        || rest.chars().count() > most
        || rest.contains(['。', '；', '：'])
        || !spaced && rest.contains('，')
    {
        return None;
    }
    Some(Marked {
        mark: Mark::Division {
            rank,
            number: number(&found[1])?,
        },
        len,
    })
}

fn article(text: &str) -> Option<Marked> {
    let found = ARTICLE.captures(text)?;
    let len = found[0].len();
    let rest = &text[len..];
    let spaced = rest.starts_with([' ', '\u{3000}', '\t']) || rest.is_empty();
    let body = rest.trim_start();
    if !spaced && body.starts_with(MENTIONED)
        || body.starts_with("修改为")
        || body.starts_with("改为")
    {
        return None;
    }
    let sub = match found.get(2) {
        Some(sub) => number(sub.as_str())?,
        None => 0,
    };
    Some(Marked {
        mark: Mark::Article {
            number: number(&found[1])?,
            sub,
            spaced,
        },
        len,
    })
}

fn step(text: &str) -> Option<Marked> {
    let found = STEP.captures(text)?;
    let digits = found.get(1).or(found.get(2)).or(found.get(3))?;
    let len = found[0].len();
    if found.get(4).is_none() && text[len..].starts_with(SPOKEN_OF) {
        return None;
    }
    Some(Marked {
        mark: Mark::Step {
            number: number(digits.as_str())?,
        },
        len,
    })
}

fn level(text: &str) -> Option<Marked> {
    if let Some(n) = text.chars().next().and_then(circled) {
        return Some(Marked {
            mark: Mark::Level {
                depth: 5,
                number: n,
            },
            len: 3,
        });
    }
    let patterns: [(&Regex, u8); 4] = [(&LEVEL1, 1), (&LEVEL2, 2), (&LEVEL3, 3), (&LEVEL4, 4)];
    patterns.into_iter().find_map(|(pattern, depth)| {
        let found = pattern.captures(text)?;
        let len = found[0].len();
        let digits = found.get(1).or_else(|| found.get(2))?.as_str();
        if depth == 3 && text[len..].starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        Some(Marked {
            mark: Mark::Level {
                depth,
                number: number(digits)?,
            },
            len,
        })
    })
}

/// The mark that `text` begins with.
pub(crate) fn read(text: &str) -> Marked {
    let plain = Marked {
        mark: Mark::Plain,
        len: 0,
    };
    let Some(first) = text.chars().next() else {
        return plain;
    };
    let found = match first {
        '第' => division(text)
            .or_else(|| article(text))
            .or_else(|| step(text)),
        '步' | '【' | '[' | 'S' | 's' => step(text),
        '附' => ANNEX
            .find(text)
            .filter(|_| {
                text.chars().nth(60).is_none()
                    && !text.contains('。')
                    && !text.starts_with("附则")
                    && !text.starts_with("附近")
            })
            .map(|_| Marked {
                mark: Mark::Annex,
                len: 0,
            }),
        '问' | '提' | 'Q' | 'q' | 'Ｑ' => QUESTION.find(text).map(|m| Marked {
            mark: Mark::Question,
            len: m.len(),
        }),
        '答' | '回' | 'A' | 'a' | 'Ａ' => ANSWER.find(text).map(|m| Marked {
            mark: Mark::Answer,
            len: m.len(),
        }),
        '0'..='9' | '０'..='９' => QUESTION
            .find(text)
            .map(|m| Marked {
                mark: Mark::Question,
                len: m.len(),
            })
            .or_else(|| level(text)),
        _ => level(text),
    };
    found.unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_marks_from_mentions() {
        for (text, want) in [
            ("第一章　总　则", Mark::Division { rank: 3, number: 1 }),
            (
                "第一百二十条之一 【帮助恐怖活动罪】",
                Mark::Article {
                    number: 120,
                    sub: 1,
                    spaced: true,
                },
            ),
            (
                "第三条为了规范",
                Mark::Article {
                    number: 3,
                    sub: 0,
                    spaced: false,
                },
            ),
            ("第三条规定的情形", Mark::Plain),
            ("第七节相应改为第八节，第一百二十三条", Mark::Plain),
            (
                "一、总体要求",
                Mark::Level {
                    depth: 1,
                    number: 1,
                },
            ),
            (
                "（十二）其他",
                Mark::Level {
                    depth: 2,
                    number: 12,
                },
            ),
            (
                "1.申请",
                Mark::Level {
                    depth: 3,
                    number: 1,
                },
            ),
            ("1.5倍", Mark::Plain),
            (
                "（3）其他",
                Mark::Level {
                    depth: 4,
                    number: 3,
                },
            ),
            (
                "②其他",
                Mark::Level {
                    depth: 5,
                    number: 2,
                },
            ),
            ("附件1：申请表", Mark::Annex),
            ("附近的窗口", Mark::Plain),
            ("问：怎么办？", Mark::Question),
            ("3.问：怎么办？", Mark::Question),
            ("Q1：怎么办？", Mark::Question),
            ("答：可以。", Mark::Answer),
            ("问题很多", Mark::Plain),
            ("第一步：登录平台", Mark::Step { number: 1 }),
            ("第2步 登录平台", Mark::Step { number: 2 }),
            ("第三步点击“提交”", Mark::Step { number: 3 }),
            ("【步骤四】提交", Mark::Step { number: 4 }),
            ("Step 5. Submit", Mark::Step { number: 5 }),
            ("第一步是登录", Mark::Plain),
            ("步骤如下", Mark::Plain),
            ("Steps are", Mark::Plain),
        ] {
            assert_eq!(read(text).mark, want, "{text}");
        }
    }
}
