//! How wide characters are, and where lines break.

/// Widths of the printable ASCII characters from the blank on, in thousandths of the size: those that the character collection
/// Adobe-GB1 gives its proportional Latin letters in a Song face.
pub(super) const ASCII: [u16; 95] = [
    207, 270, 342, 467, 462, 797, 710, 239, 374, 374, 423, 605, 238, 375, 238, 334, 462, 462, 462,
    462, 462, 462, 462, 462, 462, 462, 238, 238, 605, 605, 605, 344, 748, 684, 560, 695, 739, 563,
    511, 729, 793, 318, 312, 666, 526, 896, 758, 772, 544, 772, 628, 465, 607, 753, 711, 972, 647,
    620, 607, 374, 333, 374, 606, 500, 239, 417, 503, 427, 529, 415, 264, 444, 518, 241, 230, 495,
    228, 793, 527, 524, 524, 504, 338, 336, 277, 517, 450, 652, 466, 452, 407, 370, 258, 370, 605,
];

/// These never begin a line.
const NOT_FIRST: &str = "，。、；：？！）》〉」』】〕”’,.;:?!)]}%％°·…";

/// These never end one.
const NOT_LAST: &str = "（《〈「『【〔“‘([{￥";

/// The width of a text at a size.
pub(super) fn width(text: &str, size: f32) -> f32 {
    text.chars().map(advance).sum::<f32>() * size / 1000.0
}

fn advance(c: char) -> f32 {
    match u32::from(c) {
        code @ 0x20..=0x7e => f32::from(ASCII[(code - 0x20) as usize]),
        _ => 1000.0,
    }
}

/// A text in lines that fit into a width. A number or a word of Latin letters stays whole if it fits into a line.
pub(super) fn lines(text: &str, size: f32, room: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if width(&line, size) + width(&piece, size) <= room {
            line.push_str(&piece);
            continue;
        }
        if width(&piece, size) <= room {
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line = piece.trim_start().to_owned();
            continue;
        }
        for c in piece.chars() {
            let mut one = [0; 4];
            if !line.is_empty() && width(&line, size) + width(c.encode_utf8(&mut one), size) > room
            {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// What stays together: runs of ASCII without blanks, and a character with the marks that may not be parted from it.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut joined = false;
    for c in text.chars() {
        let before = pieces.last().and_then(|p| p.chars().last());
        let solid = |c: char| c.is_ascii_graphic();
        let joins = before.is_some_and(|b| solid(b) && solid(c)) || NOT_FIRST.contains(c) || joined;
        match pieces.last_mut() {
            Some(last) if joins => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        joined = NOT_LAST.contains(c);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_hold_everything_and_begin_with_no_closing_mark() {
        let text =
            "本人承诺（以上信息）真实、有效，证号110101199003078515，金额1500.50元。".repeat(3);
        for room in [60.0, 100.0, 300.0] {
            let lines = lines(&text, 10.0, room);
            assert_eq!(lines.concat(), text);
            for line in &lines {
                assert!(width(line, 10.0) <= room, "{line}");
                if room > 60.0 {
                    assert!(!line.starts_with(['，', '。', '）', '、']), "{line}");
                }
            }
        }
        assert_eq!(lines("", 10.0, 100.0), [""]);
    }
}
