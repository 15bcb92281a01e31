//! 发文字号.

use super::{View, pattern};

pattern!(
    OWN,
    r"(?:[\p{Han}A-Za-z]{1,20})[〔\[（(【［][ 　]*(?:19|20)[0-9]{2}[ 　]*(?:年)?[〕\]）)】］][ 　]*第?[ 　]*[0-9]{1,5}[ 　]*号"
);
pattern!(
    ORDER,
    r"(?:[\p{Han}]{2,20})?(?:令|公告)[ 　]*(?:(?:19|20)[0-9]{2}[ 　]*年[ 　]*)?第[ 　]*[0-9一二三四五六七八九十百〇零]{1,6}[ 　]*号|第[ 　]*[0-9一二三四五六七八九十百]{1,6}[ 　]*号[ 　]*(?:令|公告)"
);

/// The number in uniform writing: `启医保规〔2024〕5号`.
pub(super) fn tidy(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.contains('令')
        || text.contains("公告") && !text.contains(['〔', '[', '（', '(', '【', '［'])
    {
        return text;
    }
    text.chars()
        .map(|c| match c {
            '[' | '（' | '(' | '【' | '［' => '〔',
            ']' | '）' | ')' | '】' | '］' => '〕',
            other => other,
        })
        .collect()
}

/// The first number in `text`.
pub(super) fn read(text: &str) -> Option<String> {
    OWN.find(text)
        .or_else(|| ORDER.find(text))
        .map(|found| tidy(found.as_str()))
}

/// Whether the number is only cited: 《……》（启医保规〔2024〕5号）.
fn cited(text: &str, start: usize) -> bool {
    let before = text[..start].trim_end_matches(['（', '(', '[']);
    before.len() < start && before.ends_with('》')
}

/// The document's own number: on a line of its own, or the first in the head of a one-line text.
pub(super) fn find(view: &View<'_>) -> Option<String> {
    for line in view.front.iter().take(25) {
        for found in OWN.find_iter(line) {
            let alone = line.chars().count() <= found.as_str().chars().count() + 8;
            let spaced = line.chars().count() > 200
                && found.start() > 0
                && line[..found.start()].ends_with(char::is_whitespace)
                && line[found.end()..].starts_with(char::is_whitespace);
            if (alone || spaced) && !cited(line, found.start()) {
                let text = found
                    .as_str()
                    .trim_start_matches("文号")
                    .trim_start_matches("字号");
                return Some(tidy(text));
            }
        }
    }
    let short = view
        .front
        .iter()
        .take(12)
        .filter(|line| line.chars().count() <= 80);
    short
        .filter_map(|line| ORDER.find(line).filter(|found| !cited(line, found.start())))
        .map(|found| {
            let text = tidy(found.as_str());
            text.strip_prefix("中华人民共和国")
                .map_or_else(|| text.clone(), str::to_owned)
        })
        .next()
}
