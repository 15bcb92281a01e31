//! The documents that this one repeals.

use super::{View, number, pattern};
use crate::document::Reference;

pattern!(
    REFERENCE,
    r"《([^《》]{2,80}(?:《[^《》]{2,60}》[^《》]{0,40})?)》(?:[（(]([^（）()]{2,30}(?:[（(〔\[][0-9]{4}[）)〕\]])?[^（）()]{0,12}号[^（）()]{0,6})[）)])?(第[零一二三四五六七八九十百]{1,6}[条款项章])?"
);
pattern!(
    NUMBER,
    r"[\p{Han}]{2,16}[〔\[（(［][ ]*(?:19|20)[0-9]{2}[ ]*[〕\]）)］][ ]*第?[ ]*[0-9]{1,5}[ ]*号"
);
pattern!(
    REPEALED,
    r"同时废止|予以废止|即行废止|相应废止|同时停止执行|同时失效|废止$|停止执行$"
);

pub(super) fn find(view: &View<'_>, title: &str) -> Vec<Reference> {
    let found = found(view, title).into_iter();
    found.map(|(_, reference)| reference).collect()
}

/// The same, each with the byte at which it is named.
pub(super) fn found(view: &View<'_>, title: &str) -> Vec<(usize, Reference)> {
    let mut out: Vec<(usize, Reference)> = Vec::new();
    for sentence in view.sentences_with(&["废止", "停止执行", "同时失效"]) {
        let Some(word) = REPEALED.find_iter(sentence).last() else {
            continue;
        };
        let before = &sentence[..word.start()];
        // The sentence is a part of the text.
        let base = sentence.as_ptr() as usize - view.text().as_ptr() as usize;
        if before.contains("不予废止") || before.contains("是否") {
            continue;
        }
        let mut covered = Vec::new();
        for found in REFERENCE.captures_iter(before) {
            covered.push(found.get(0).map_or(0..0, |m| m.range()));
            // Only a part of it ends.
            if found.get(3).is_some()
                || found[1] == *title && found.get(2).is_none() && !before.contains("印发的")
                || before[..found.get(0).map_or(0, |m| m.start())].ends_with(['据', '照', '按'])
            {
                continue;
            }
            let number = found.get(2).and_then(|m| number::read(m.as_str()));
            push(
                &mut out,
                base + found.get(0).map_or(0, |m| m.start()),
                Reference {
                    title: Some(found[1].to_owned()),
                    number,
                },
            );
        }
        for found in NUMBER.find_iter(before) {
            if !covered.iter().any(|range| range.contains(&found.start())) {
                let text = found.as_str();
                let text = text.rsplit(['和', '及', '与', '以']).next().unwrap_or(text);
                push(
                    &mut out,
                    base + found.start(),
                    Reference {
                        title: None,
                        number: Some(number::tidy(text)),
                    },
                );
            }
        }
    }
    out
}

fn push(out: &mut Vec<(usize, Reference)>, at: usize, reference: Reference) {
    if out.iter().all(|(_, known)| *known != reference) {
        out.push((at, reference));
    }
}
