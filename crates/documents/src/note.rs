//! What a person should look at before the document is used.

use std::sync::LazyLock;

use regex::Regex;

use crate::document::{ClauseKind, Document, Heading, Note};
use crate::structure::mark::{self, Mark};

static ORDERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:忽略|无视|忘记|忘掉|不要理会|抛开|跳过)(?:掉)?[^。\n]{0,12}(?:之前|以上|上述|上面|前面|先前|所有|全部|一切|系统|原有|此前)[^。\n]{0,10}(?:指令|指示|提示词?|命令|规则|设定|要求|内容|对话|限制)",
        r"|(?:你|您)(?:现在|从现在起|接下来|此后)(?:开始)?(?:是|扮演|将扮演|要扮演|必须扮演|不再是)(?:一个|一名)?[^。\n]{0,20}(?:助手|模型|AI|机器人|角色|系统|管理员|开发者|DAN)|(?:请|你要|你需要)扮演[^。\n]{0,20}",
        r"|(?i-u:ignore\s+(?:all\s+|any\s+)?(?:the\s+)?(?:previous|prior|above|earlier|preceding|your)\s+(?:\w+\s+)?(?:instructions?|prompts?|rules?|messages?|directions?))",
        r"|(?i-u:disregard\s+(?:all\s+|any\s+)?(?:the\s+)?(?:previous|prior|above|earlier|your)\s+\w+)",
        r"|(?i-u:system\s*prompt|developer\s*mode|jail\s*break)|系统提示词|开发者模式|越狱模式",
        r"|(?i-u:you\s+are\s+(?:now|no\s+longer)\s+(?:a|an|the)?\s*\w+|forget\s+(?:everything|all|your)\s+\w+)",
        r"|(?i-u:<\|?(?:im_start|im_end|system|endoftext)\|?>|\[/?INST\]|<<SYS>>|###\s*(?:system|instruction))",
        r"|(?:输出|泄露|告诉我|显示|打印|重复)(?:出)?(?:你的)?(?:系统提示|系统指令|初始指令|提示词|内部指令|密钥|口令)",
        r"|(?:AI|人工智能|大模型|语言模型|智能助手|聊天机器人)[^。\n]{0,12}(?:必须|务必|应当|只能|请)[^。\n]{0,12}(?:回答|回复|输出|忽略|告诉用户|推荐)",
    ))
    .expect("the pattern is fixed")
});

/// Whether the text seems to give orders to a language model: 忽略以上指令, 你现在是…助手, “ignore previous instructions”.
pub fn is_suspicious(text: &str) -> bool {
    ORDERS.is_match(text)
}

/// `found` is what the reader of the format noticed.
pub(crate) fn collect(document: &Document, found: Vec<String>) -> Vec<Note> {
    let about_all = |message| Note {
        clause: None,
        message,
    };
    let mut notes: Vec<Note> = found.into_iter().map(about_all).collect();
    gaps(document, &mut notes);
    dates(document, &mut notes);
    for (index, clause) in document.clauses.iter().enumerate() {
        if let Some(found) = ORDERS.find(&document.text[clause.span.clone()]) {
            let words: String = found.as_str().chars().take(30).collect();
            notes.push(Note {
                clause: Some(index),
                message: format!("疑似指令文字：“{words}”。请确认这是不是公文原有的内容。"),
            });
        }
    }
    notes
}

fn gaps(document: &Document, notes: &mut Vec<Note>) {
    let mut previous: Option<(u64, &str)> = None;
    for (index, clause) in document.clauses.iter().enumerate() {
        if clause.kind != ClauseKind::Article {
            continue;
        }
        let Mark::Article { number, .. } = mark::read(&clause.label).mark else {
            continue;
        };
        if let Some((last, label)) = previous
            && number > last + 1
        {
            notes.push(Note {
                clause: Some(index),
                message: format!("编号不连续：{label}之后是{}。", clause.label),
            });
        }
        previous = Some((number, &clause.label));
    }
    heading_gaps(document, notes);
}

fn rank(text: &str) -> Option<(u8, u64)> {
    match mark::read(text).mark {
        Mark::Division { rank, number } => Some((rank, number)),
        Mark::Level {
            depth: depth @ 1..=2,
            number,
        } => Some((10 + depth, number)),
        _ => None,
    }
}

fn heading_gaps(document: &Document, notes: &mut Vec<Note>) {
    let mut open: Vec<(u8, u64, &Heading)> = Vec::new();
    for heading in &document.outline {
        let Some((own, number)) = rank(&heading.title) else {
            continue;
        };
        while open.last().is_some_and(|(above, ..)| *above > own) {
            open.pop();
        }
        if let Some((_, count, before)) = open.pop_if(|(same, ..)| *same == own) {
            // What is no heading of its own can be an item between the two.
            let between = || document.text[before.span.end..heading.span.start].lines();
            let found = |n| between().any(|line| rank(line.trim_start()) == Some((own, n)));
            let missing = number.saturating_sub(count + 1);
            if missing > 0 && (missing > 50 || !(count + 1..number).all(found)) {
                notes.push(Note {
                    clause: Some(heading.clause),
                    message: format!("编号不连续：“{}”之后是“{}”。", before.title, heading.title),
                });
            }
        }
        open.push((own, number, heading));
    }
}

fn dates(document: &Document, notes: &mut Vec<Note>) {
    let said = &document.metadata;
    let mut note = |message: String| {
        notes.push(Note {
            clause: None,
            message,
        })
    };
    if let (Some(from), Some(until)) = (said.effective_from, said.effective_until)
        && until < from
    {
        note(format!("日期矛盾：失效日期 {until} 早于施行日期 {from}。"));
    }
    if let (Some(issued), Some(from)) = (said.issued, said.effective_from)
        && from < issued
    {
        note(format!("施行日期 {from} 早于成文日期 {issued}，请核对。"));
    }
}
