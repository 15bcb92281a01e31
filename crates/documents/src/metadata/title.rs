//! The title.

use super::{View, pattern};
use crate::format;
use crate::page::{Hint, Said};
use crate::structure::is_organ;

pattern!(
    DATED,
    r"[ 　_-]*[（(](?:19|20)[0-9]{2}[-.年][0-9]{1,2}[-.月][0-9]{1,2}日?[）)][ 　]*$"
);
pattern!(
    NUMBERED,
    r"^[\p{Han}]{2,16}[〔\[][ ]*(?:19|20)[0-9]{2}[ ]*[〕\]][ ]*第?[ ]*[0-9]{1,5}[ ]*号[ ]*"
);
pattern!(
    COMPLETE,
    r"(?:通知|意见|办法|规定|细则|条例|方案|公告|通告|决定|批复|函|指南|解读|问答|措施|规划|要点|通报|报告|请示|命令|规则|标准|目录|清单|纪要|法|解释|流程|手册|须知)(?:[（(].{1,12}[）)])?$"
);

/// A title on one line with single blanks.
pub(super) fn tidy(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = DATED.replace(&joined, "");
    // A scraped page runs the number into the title.
    let cut = match NUMBERED.find(&cut) {
        Some(number) if cut[number.end()..].chars().count() >= 8 => &cut[number.end()..],
        _ => &cut,
    };
    let cut = cut.trim();
    let cut = cut
        .strip_prefix('【')
        .and_then(|rest| rest.strip_suffix('】'))
        .unwrap_or(cut);
    // Chinese needs no blank within a title; between words of another script it stays.
    let mut out = String::with_capacity(cut.len());
    let chars: Vec<char> = cut.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let foreign = |c: Option<&char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let organs = out.ends_with([
            '局', '府', '厅', '委', '会', '院', '部', '署', '行', '司', '法', '典',
        ]);
        if c == ' '
            && !organs
            && !(foreign(chars.get(at.wrapping_sub(1))) && foreign(chars.get(at + 1)))
        {
            continue;
        }
        out.push(c);
    }
    out
}

fn is_title_line(text: &str) -> bool {
    let size = text.chars().count();
    (3..=80).contains(&size)
        && !text.contains(['。', '；', '|'])
        && !text.ends_with(['：', ':'])
        && lang::date::only(text).is_none()
}

/// The hinted title, with the lines of the same hint right behind it.
fn marked(view: &View<'_>) -> Option<String> {
    let blocks = &view.page.blocks;
    let is_title = |hint: Hint| matches!(hint, Hint::Title | Hint::Heading(1));
    let first = blocks
        .iter()
        .take(8)
        .position(|b| is_title(b.hint))
        .or_else(|| matches!(blocks.first()?.hint, Hint::Heading(_)).then_some(0))?;
    let mut title = view.page.str(first).to_owned();
    for at in first + 1..blocks.len().min(first + 3) {
        let same = blocks[at].hint == blocks[first].hint && is_title(blocks[at].hint);
        let text = view.page.str(at);
        let strong = blocks[first].hint == Hint::Title
            && blocks[at].hint == Hint::Strong
            && !COMPLETE.is_match(title.trim());
        if !(same || strong)
            || text.chars().count() > 60
            || COMPLETE.is_match(title.trim()) && text.chars().count() > 12
            || !is_title_line(text)
        {
            break;
        }
        title.push(' ');
        title.push_str(text);
    }
    Some(title)
}

/// The first lines of a text without markup.
fn leading(view: &View<'_>) -> Option<String> {
    let first = view.front.first()?;
    let mut title = if first.chars().count() > 80 {
        first
            .split_whitespace()
            .next()
            .filter(|head| is_title_line(head) && head.chars().count() >= 5)?
            .to_owned()
    } else {
        (*first).to_owned()
    };
    if !is_title_line(&title) {
        return None;
    }
    for line in view.front.iter().skip(1).take(3) {
        let unfinished = !COMPLETE.is_match(title.trim());
        let goes_on =
            line.starts_with("关于") || COMPLETE.is_match(line.trim()) || is_organ(&title);
        if !unfinished || !goes_on || !is_title_line(line) || super::number::read(line).is_some() {
            break;
        }
        title.push(' ');
        title.push_str(line);
    }
    Some(title)
}

pub(super) fn find(name: &str, view: &View<'_>, said: &Said) -> String {
    let stem = format::stem(name);
    if said.named
        && view
            .page
            .blocks
            .first()
            .is_none_or(|b| b.hint != Hint::Title)
    {
        return tidy(stem);
    }
    let candidates = [
        marked(view),
        said.title.clone().filter(|t| t.chars().count() >= 5),
        leading(view),
    ];
    candidates
        .into_iter()
        .flatten()
        .map(|text| tidy(&text))
        .find(|text| text.chars().count() >= 2)
        .unwrap_or_else(|| tidy(stem))
}
