//! What a person should look at before the document is used.

use std::sync::LazyLock;

use lang::{
    fold::Folded,
    spot::{Found, Rules},
};

use crate::document::{ClauseKind, Document, Heading, Note};
use crate::structure::mark::{self, Mark};

static ORDERS: LazyLock<Rules> =
    LazyLock::new(|| Rules::parse(include_str!("orders.tsv"), 1).expect("the rules are fixed"));

/// Whether the text seems to give orders to a language model: 忽略以上指令, 你现在是…助手, “ignore previous instructions”;
/// also in disguise.
pub fn is_suspicious(text: &str) -> bool {
    order_in(&Folded::new(text)).is_some()
}

/// Whether a question seems to give orders to the model that is to answer it. To speak to an assistant is no order.
pub fn is_order(question: &Folded) -> bool {
    let found = ORDERS.find(question);
    found.iter().any(|f| f.labels.iter().all(|l| l == "any"))
}

/// Where a text seems to give orders to a language model.
pub fn order_in(folded: &Folded) -> Option<Found<'static>> {
    ORDERS.first(folded)
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
        let text = &document.text[clause.span.clone()];
        if let Some(found) = order_in(&Folded::new(text)) {
            let words: String = text[found.span].chars().take(30).collect();
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
